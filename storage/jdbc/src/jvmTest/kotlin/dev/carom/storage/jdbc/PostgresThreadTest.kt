package dev.carom.storage.jdbc

import dev.carom.storage.CancelClass
import dev.carom.storage.OpOptions
import dev.carom.storage.StorageException
import dev.carom.storage.sql.BlockingSqlPool
import dev.carom.storage.sql.scalar
import dev.carom.storage.sql.sql
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds

/** Threads that block: a platform thread makes its calls itself, a virtual one has them made. */
class PostgresThreadTest :
    FunSpec({
        suspend fun interrupted(server: PostgresServer, name: String, start: (Runnable) -> Thread) =
            server.world(name, sessions = 1) { world ->
                val pool = BlockingSqlPool.of(world.pool)
                val pid = world.pool.scalar("select pg_backend_pid()")
                repeat(10) {
                    val ended = CompletableDeferred<Throwable?>()
                    val still = CompletableDeferred<Boolean>()
                    val caller = start {
                        ended.complete(failureIn { pool.queryRow("select pg_sleep(60)") })
                        still.complete(Thread.currentThread().isInterrupted)
                    }
                    world.until("it runs") { world.backends(ASLEEP) == 1 }
                    caller.interrupt()
                    ended.await().shouldBeInstanceOf<StorageException.Interrupted>()
                    still.await() shouldBe true
                    world.pool.scalar("select pg_backend_pid()") shouldBe pid
                    world.backends("state = 'active'") shouldBe 0
                }
                world.pool.stats().destroyed.values.sum() shouldBe 0
                world.until("nothing is on loan") { world.pool.stats().leased == 0 }
            }

        postgres("the interrupt of a thread in its own call stops the statement; the connection lives on") { server ->
            interrupted(server, "interrupt") { thread(block = it::run) }
        }

        postgresOnVirtualThreads("AT-11: the interrupt of a virtual thread, likewise") { server, start ->
            interrupted(server, "interrupt2", start)
        }

        postgres("a thread that is interrupted while it waits for a connection leaves the queue") { server ->
            server.world("queue", sessions = 1) { world ->
                val pool = BlockingSqlPool.of(world.pool)
                val conn = world.pool.conn()
                val ended = CompletableDeferred<Throwable?>()
                val caller = thread { ended.complete(failureIn { pool.queryRow("select 1") }) }
                world.until("it waits") { world.pool.stats().waiting == 1 }
                caller.interrupt()
                ended.await().shouldBeInstanceOf<StorageException.Interrupted>()
                world.until("it has left") { world.pool.stats().waiting == 0 }
                conn.close()
                world.pool.scalar("select 1") shouldBe 1
            }
        }

        postgres("a thread's own call ends when its time is over, on the server too") { server ->
            server.world("time", sessions = 1) { world ->
                val pool = BlockingSqlPool.of(world.pool)
                val slow = sql("select pg_sleep(60)").with(OpOptions(timeout = 1.seconds))
                failureIn { pool.queryRow(slow) }.shouldBeInstanceOf<StorageException.OpTimeout>()
                world.backends(ASLEEP) shouldBe 0
                world.pool.stats().cancels[CancelClass.CONFIRMED] shouldBe 1
                pool.queryRow("select 1")!!.getInt(0) shouldBe 1
            }
        }

        postgres("a thread's own call ends when the pool is closed under it") { server ->
            server.world("closing", sessions = 1) { world ->
                val pool = BlockingSqlPool.of(world.pool)
                val ended = CompletableDeferred<Throwable?>()
                thread { ended.complete(failureIn { pool.queryRow("select pg_sleep(60)") }) }
                world.until("it runs") { world.backends(ASLEEP) == 1 }
                world.pool.close(0)
                ended.await().shouldBeInstanceOf<StorageException.PoolClosed>()
                world.until("none runs on") { world.backends() == 0 }
            }
        }
    })

private fun failureIn(block: () -> Unit): Throwable? = try {
    block()
    null
} catch (e: StorageException) {
    e
}

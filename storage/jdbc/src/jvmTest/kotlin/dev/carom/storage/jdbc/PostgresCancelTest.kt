package dev.carom.storage.jdbc

import dev.carom.pool.testkit.Fault
import dev.carom.pool.testkit.FaultProxy
import dev.carom.storage.CancelClass
import dev.carom.storage.CancelMode
import dev.carom.storage.DestroyReason
import dev.carom.storage.StoragePolicy
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.scalar
import dev.carom.storage.txn
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import java.net.InetSocketAddress
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** The server notices long before the connection stops counting. */
private val quick = JdbcPolicy(checkInterval = 50.milliseconds, linger = 2_500.milliseconds)

class PostgresCancelTest :
    FunSpec({
        postgres("AT-10: cancel at random, select at once, on two connections: no select is ever hit") { server ->
            server.world("at10") { world ->
                val random = Random(10)
                val rounds = if (soaking) 2_000 else 300
                val pids = mutableSetOf<Any?>()
                val micros = mutableListOf<Long>()
                world.watching {
                    repeat(rounds) { n ->
                        val victim = launch { world.pool.queryRow("select pg_sleep(1)") }
                        delay(random.nextInt(4_000).microseconds)
                        val start = TimeSource.Monotonic.markNow()
                        victim.cancel()
                        world.pool.scalar("select $n") shouldBe n
                        victim.join()
                        micros += start.elapsedNow().inWholeMicroseconds
                        pids += world.pool.scalar("select pg_backend_pid()")
                    }
                }
                micros.sort()
                val stats = world.pool.stats()
                println(
                    "AT-10: $rounds rounds, 0 selects hit, ${pids.size} server processes in all, at most " +
                        "${world.mostBackends} at once, stopped after a median of " +
                        "${micros[rounds / 2]} us, 95 % within ${micros[rounds * 95 / 100]} us, ${stats.cancels}, " +
                        "destroyed ${stats.destroyed.values.sum()}",
                )
                micros[rounds * 95 / 100].microseconds shouldBeLessThan 1.seconds
                world.mostBackends shouldBeLessThanOrEqualTo 2
                stats.destroyed.values.sum() shouldBe 0
                world.until("nothing is on loan") { world.pool.stats().leased == 0 }
                world.backends(ASLEEP) shouldBe 0
            }
        }

        postgres(
            "AT-10: a request to stop that is held up: the session is cut off, and not lent in between",
        ) { server ->
            FaultProxy(InetSocketAddress("127.0.0.1", server.port)).use { proxy ->
                val policy = StoragePolicy(cancelGrace = 300.milliseconds)
                server.world("held", sessions = 1, policy, quick, proxy.port) { world ->
                    world.watching {
                        repeat(2) {
                            val first = world.pool.scalar("select pg_backend_pid()")
                            val victim = launch { world.pool.queryRow("select pg_sleep(60)") }
                            world.until("it runs") { world.backends(ASLEEP) == 1 }
                            proxy.connections.forEach { it.fault = Fault.PASS }
                            // Only what comes now is held up: the request to stop.
                            proxy.fault = Fault.delay(3_000)
                            victim.cancel()
                            victim.join()
                            proxy.fault = Fault.PASS
                            val next = world.pool.scalar("select pg_backend_pid()")
                            (next == first) shouldBe false
                            // The old one is gone before the new one came: it was still counted.
                            world.ask("select count(*) from pg_stat_activity where pid = $first") shouldBe 0L
                        }
                    }
                    world.mostBackends shouldBe 1
                    world.pool.stats().destroyed[DestroyReason.CANCEL_TIMEOUT] shouldBe 2
                    world.pool.stats().cancels[CancelClass.TIMEOUT] shouldBe 2
                }
            }
        }

        postgres("AT-02d: fifty clients that are cancelled at random leave no transaction and no statement") { server ->
            server.world("at02d", sessions = 8) { world ->
                world.pool.exec("create table t (n bigint)")
                val end = TimeSource.Monotonic.markNow() + (if (soaking) 60 else 3).seconds
                val calls = AtomicInteger()
                val unrelated = AtomicInteger()
                world.watching {
                    repeat(50) { client ->
                        launch {
                            val random = Random(client)
                            while (end.hasNotPassedNow()) {
                                val call = async {
                                    world.pool.txn { txn ->
                                        txn.exec("insert into t values (?)", client)
                                        txn.queryRow("select pg_sleep(?)", random.nextInt(20) / 1000.0)
                                    }
                                }
                                delay(random.nextInt(150).milliseconds)
                                val cancelled = random.nextBoolean()
                                if (cancelled) call.cancel()
                                call.join()
                                calls.incrementAndGet()
                                val failure = call.getCompletionExceptionOrNull()
                                if (failure != null && !(cancelled && call.isCancelled)) unrelated.incrementAndGet()
                            }
                        }
                    }
                }
                world.until("nothing is on loan") { world.pool.stats().leased == 0 }
                println(
                    "AT-02d: ${calls.get()} transactions of 50 clients, at most ${world.mostBackends} server " +
                        "processes, ${unrelated.get()} unrelated failures, ${world.pool.stats().cancels}",
                )
                world.backends("state like 'idle in transaction%'") shouldBe 0
                world.backends("state = 'active'") shouldBe 0
                unrelated.get() shouldBe 0
                world.mostBackends shouldBeLessThanOrEqualTo 8
                world.pool.stats().waiting shouldBe 0
            }
        }

        postgres("DESTROY: the statement ends with its connection, which counts until then") { server ->
            server.world("destroy", sessions = 2, StoragePolicy(cancelMode = CancelMode.DESTROY), quick) { world ->
                world.watching {
                    repeat(2) {
                        // The server may need a moment to see that the last ones were cut off.
                        world.until("none runs on") { world.backends("state = 'active'") == 0 }
                        val victims = List(2) { launch { world.pool.queryRow("select pg_sleep(60)") } }
                        world.until("both run") { world.backends(ASLEEP) == 2 }
                        victims.forEach { it.cancel() }
                        victims.joinAll()
                        val start = TimeSource.Monotonic.markNow()
                        coroutineScope { repeat(2) { launch { world.pool.queryRow("select 1") } } }
                        start.elapsedNow() shouldBeLessThan 30.seconds
                    }
                }
                world.mostBackends shouldBeLessThanOrEqualTo 2
                world.pool.stats().destroyed[DestroyReason.CANCELLED] shouldBe 4
                world.until("none runs on") { world.backends("state = 'active'") == 0 }
            }
        }

        postgres("LET_RUN: a cancelled statement has its effect all the same") { server ->
            server.world("letrun", sessions = 1, StoragePolicy(cancelMode = CancelMode.LET_RUN)) { world ->
                world.pool.exec("create table t (n int)")
                val call = launch { world.pool.exec("insert into t select 1 from pg_sleep(3)") }
                world.until("it runs") { world.backends(ASLEEP) == 1 }
                call.cancel()
                call.join()
                world.pool.scalar("select count(*) from t") shouldBe 1L
                world.pool.stats().cancels[CancelClass.NOT_SENT] shouldBe 0
            }
        }
    })

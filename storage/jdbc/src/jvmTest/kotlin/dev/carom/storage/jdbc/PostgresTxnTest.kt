package dev.carom.storage.jdbc

import dev.carom.pool.testkit.Fault
import dev.carom.pool.testkit.FaultProxy
import dev.carom.storage.DestroyReason
import dev.carom.storage.Isolation
import dev.carom.storage.Propagation
import dev.carom.storage.RetryPolicy
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus
import dev.carom.storage.sql.BlockingSqlPool
import dev.carom.storage.sql.SqlTxn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.one
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.scalar
import dev.carom.storage.txn
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withContext
import java.net.InetSocketAddress
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PostgresTxnTest :
    FunSpec({
        postgres("AT-11: a thousand changes of dispatcher, one and the same connection") { server ->
            server.world("at11") { world ->
                Executors.newSingleThreadExecutor().asCoroutineDispatcher().use { own ->
                    val places = listOfNotNull(Dispatchers.Default, Dispatchers.IO, own, virtualThreads)
                    val pids = world.pool.txn {
                        (0 until 1_000).map { n ->
                            withContext(places[n % places.size]) {
                                world.pool.nearest.scalar("select pg_backend_pid()")
                            }
                        }
                    }
                    pids.toSet() shouldHaveSize 1
                }
            }
        }

        postgresOnVirtualThreads("AT-11: a thousand virtual threads that block on four connections") { server, start ->
            server.world("virtual", sessions = 4) { world ->
                val pool = BlockingSqlPool.of(world.pool)
                world.pool.exec("create table t (n int primary key, pid int)")
                val failures = ConcurrentLinkedQueue<Throwable>()
                val threads = (0 until 1_000).map { n ->
                    start {
                        try {
                            pool.beginTxn(TxnPolicy()).use { txn ->
                                val pid = txn.queryRow("select pg_backend_pid()")!!.getInt(0)
                                txn.exec("insert into t values (?, pg_backend_pid())", n)
                                txn.queryRow("select pg_backend_pid()")!!.getInt(0) shouldBe pid
                                txn.commit()
                            }
                        } catch (e: Throwable) {
                            failures += e
                        }
                    }
                }
                threads.forEach { it.join() }
                failures.toList().shouldBeEmpty()
                world.pool.scalar("select count(*) from t") shouldBe 1_000L
                (world.pool.one("select count(distinct pid) from t").getInt(0) <= 4) shouldBe true
            }
        }

        postgres("AT-11: use by two coroutines, a nested one that throws, one that outlives its block") { server ->
            server.world("at11b") { world ->
                world.pool.exec("create table t (v text)")
                var escaped: SqlTxn? = null
                world.pool.txn { txn ->
                    escaped = txn
                    supervisorScope {
                        world.ask("select pg_advisory_lock(7)")
                        val first = async { txn.queryRow("select pg_advisory_xact_lock(7)") }
                        try {
                            world.until("it runs") { world.backends("wait_event_type = 'Lock'") == 1 }
                            shouldThrow<StorageException.ConcurrentTxnUse> { txn.exec("select 1") }
                        } finally {
                            world.ask("select pg_advisory_unlock(7)")
                        }
                        first.await()
                    }
                    txn.exec("insert into t values ('outer')")
                    shouldThrow<IllegalStateException> {
                        world.pool.txn(TxnPolicy(propagation = Propagation.NESTED)) { inner ->
                            inner.exec("insert into t values ('inner')")
                            error("undo")
                        }
                    }
                    shouldThrow<StorageException.Platform> { txn.txn { it.exec("insert into nowhere values (1)") } }
                    txn.exec("insert into t values ('after')")
                }
                shouldThrow<StorageException.TxnFinished> { escaped!!.exec("select 1") }
                world.pool.scalar("select string_agg(v, ',' order by v) from t") shouldBe "after,outer"
            }
        }

        postgres("a failed statement fails its transaction, as the server says; a wrong parameter does not") { server ->
            server.world("failed") { world ->
                val txn = world.pool.beginTxn(TxnPolicy(owned = false))
                shouldThrow<StorageException.Platform> { txn.exec("select ?", Any()) }
                txn.status shouldBe TxnStatus.ACTIVE
                shouldThrow<StorageException.Platform> { txn.exec("selec") }
                txn.status shouldBe TxnStatus.FAILED
                shouldThrow<StorageException.TxnFailed> { txn.exec("select 1") }
                shouldThrow<StorageException.TxnFailed> { txn.commit() }
                world.backends("state like 'idle in%'") shouldBe 0
            }
        }

        postgres("isolation and read-only hold inside, and for nobody after") { server ->
            server.world("levels", sessions = 1) { world ->
                val level =
                    "select current_setting('transaction_isolation') || ' ' || current_setting('transaction_read_only')"
                world.pool.txn(TxnPolicy(Isolation.SERIALIZABLE, readOnly = true)) {
                    it.scalar(level) shouldBe "serializable on"
                }
                world.pool.scalar(level) shouldBe "read committed off"
                world.pool.txn(TxnPolicy(Isolation.REPEATABLE_READ)) { it.scalar(level) shouldBe "repeatable read off" }
                // Its refusal is that of the transaction, not of a server that was demoted.
                world.pool.exec("create table t (n int)")
                shouldThrow<StorageException> {
                    world.pool.txn(TxnPolicy(readOnly = true)) { it.queryRow("insert into t values (1) returning n") }
                }
                world.pool.stats().destroyed.values.sum() shouldBe 0
                world.pool.one("insert into t values (7) returning n").getInt(0) shouldBe 7
                world.pool.scalar("select count(*) from t") shouldBe 1L
            }
        }

        postgres("AT-28: fifty workers on ten counters at SERIALIZABLE: exact sums, a hook for each commit") { server ->
            server.world("at28", sessions = 8) { world ->
                val each = if (soaking) 40 else 4
                world.pool.exec("create table c (id int primary key, n bigint not null)")
                world.pool.exec("insert into c select g, 0 from generate_series(0, 9) g")
                val hooks = AtomicInteger()
                val policy = TxnPolicy(
                    Isolation.SERIALIZABLE,
                    retry = RetryPolicy(100, start = 1.milliseconds, max = 50.milliseconds),
                )
                coroutineScope {
                    repeat(50) { worker ->
                        launch {
                            repeat(each) { n ->
                                world.pool.txn(policy) { txn ->
                                    txn.hooks.afterCommit { hooks.incrementAndGet() }
                                    val id = (worker + n) % 10
                                    val now = txn.one("select n from c where id = ?", id).getLong(0)
                                    txn.exec("update c set n = ? where id = ?", now + 1, id)
                                }
                            }
                        }
                    }
                }
                val sums = (0..9).map { world.pool.one("select n from c where id = ?", it).getLong(0) }
                println(
                    "AT-28: ${50 * each} commits, ${hooks.get()} hooks, ${world.pool.stats().retries} retries, sums $sums",
                )
                sums shouldContainExactly List(10) { 5L * each }
                hooks.get() shouldBe 50 * each
            }
        }

        postgres("AT-28: the connection is lost in the commit: unknown, not run again") { server ->
            lostCommit(server, "lost", StoragePolicy(commitTimeout = 300.milliseconds)) { world, run ->
                val runs = AtomicInteger()
                val told = CompletableDeferred<TxnStatus>()
                shouldThrow<StorageException.CommitOutcomeUnknown> { run(runs, told) }
                runs.get() shouldBe 1
                told.await() shouldBe TxnStatus.UNKNOWN
                world.pool.stats().destroyed[DestroyReason.UNKNOWN_COMMIT] shouldBe 1
            }
        }

        postgres("the connection is lost in the commit, and the server is asked what became of it") { server ->
            val policy = StoragePolicy(commitTimeout = 300.milliseconds, resolveTimeout = 20.seconds)
            lostCommit(server, "resolved", policy) { world, run ->
                val runs = AtomicInteger()
                val told = CompletableDeferred<TxnStatus>()
                run(runs, told)
                told.await() shouldBe TxnStatus.COMMITTED
                world.pool.scalar("select count(*) from t") shouldBe 1L
            }
        }
    })

/** A transaction whose commit waits for a lock until its connection has gone silent. */
private suspend fun lostCommit(
    server: PostgresServer,
    name: String,
    policy: StoragePolicy,
    block: suspend (PostgresWorld, suspend (AtomicInteger, CompletableDeferred<TxnStatus>) -> Unit) -> Unit,
) = FaultProxy(InetSocketAddress("127.0.0.1", server.port)).use { proxy ->
    // The server would end a commit whose client has gone: here the proxy is still there.
    server.world(name, sessions = 1, policy, JdbcPolicy(checkInterval = 0.milliseconds), proxy.port) { world ->
        world.pool.exec("create table t (n int)")
        world.pool.exec(
            "create function slow() returns trigger language plpgsql as " +
                "'begin perform pg_advisory_xact_lock(7); return null; end'",
        )
        world.pool.exec(
            "create constraint trigger late after insert on t deferrable initially deferred for each row execute function slow()",
        )
        block(world) { runs, told ->
            coroutineScope {
                world.ask("select pg_advisory_lock(7)")
                val silence = launch {
                    try {
                        val waiting = "wait_event_type = 'Lock' and query ilike 'commit%'"
                        world.until("it commits") { world.backends(waiting) == 1 }
                        proxy.connections.forEach { it.fault = Fault.BLACK_HOLE }
                    } finally {
                        world.ask("select pg_advisory_unlock(7)")
                    }
                }
                world.pool.txn(TxnPolicy(retry = RetryPolicy(5))) { txn ->
                    runs.incrementAndGet()
                    txn.hooks.afterCompletion { told.complete(it) }
                    txn.exec("insert into t values (1)")
                }
                silence.join()
            }
        }
    }
}

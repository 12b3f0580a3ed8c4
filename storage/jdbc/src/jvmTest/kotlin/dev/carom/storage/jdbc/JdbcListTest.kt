package dev.carom.storage.jdbc

import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.OpOptions
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnStatus
import dev.carom.storage.conn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.query
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.scalar
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import java.util.concurrent.ConcurrentHashMap
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Cases of the list of conformance that are about real databases behind JDBC. */
class JdbcListTest :
    FunSpec({
        for (database in listOf(Embedded.h2(), Embedded.sqlite())) {
            test("B154 ${database.dialect}: a batch of three has three counts") {
                jdbcTest(database) { pool ->
                    pool.exec("create table b (n int)")
                    val three = List(3) { listOf(it) }
                    pool.execBatch("insert into b values (?)", three, OpOptions.DEFAULT) shouldContainExactly
                        listOf(1L, 1L, 1L)
                }
            }
        }

        postgres(
            "B154 a batch that is cancelled in the middle: the session is clean, the transaction as it says",
        ) { server ->
            server.world("batch", sessions = 1) { world ->
                world.pool.exec("create table b (v text)")
                val pid = world.pool.scalar("select pg_backend_pid()")
                val slow = List(3) { listOf(it) }
                suspend fun cancelled(block: suspend () -> Unit) = coroutineScope {
                    val call = launch { block() }
                    world.until("it runs") { world.backends("state = 'active' and query like 'insert into b%'") == 1 }
                    call.cancelAndJoin()
                }
                val sleeps = "insert into b select pg_sleep(30 + ?)::text"
                cancelled { world.pool.execBatch(sleeps, slow, OpOptions.DEFAULT) }
                world.pool.scalar("select count(*) from b") shouldBe 0L
                val txn = world.pool.beginTxn()
                txn.exec("insert into b values ('lost')")
                cancelled { txn.execBatch(sleeps, slow, OpOptions.DEFAULT) }
                txn.status shouldBe TxnStatus.FAILED
                shouldThrow<StorageException.TxnFailed> { txn.commit() }
                world.pool.scalar("select count(*) from b") shouldBe 0L
                world.pool.scalar("select pg_backend_pid()") shouldBe pid
            }
        }

        postgres("B168 after the end of a pool nothing is left of it, here or on the server") { server ->
            val scope = Job()
            server.database("nothing_left")
            val url = server.url("nothing_left") + "&ApplicationName=nothing_left"
            val database = Embedded.postgres(url)
            val resolver = flowOf(setOf(database.backend)).asResolver()
            repeat(5) { round ->
                val pool = CoroutineScope(Dispatchers.Default + scope)
                    .openJdbc("left", database.dialect, resolver, database.connect(), PoolPolicy(2, 4))
                val random = Random(round)
                coroutineScope {
                    repeat(40) {
                        val call = launch { pool.queryRow("select pg_sleep(0.02)") }
                        launch {
                            delay(random.nextInt(30).milliseconds)
                            if (random.nextBoolean()) call.cancel()
                        }
                    }
                }
                pool.close(1_000)
            }
            // Whoever gave the last session back may still be on its way out.
            withTimeout(10.seconds) { scope.children.forEach { it.join() } }
            val left = "select count(*) from pg_stat_activity where application_name = 'nothing_left'"
            // The server's processes end a moment after their connections.
            while (server.asked<Long>(left) != 0L) delay(5)
            scope.cancelAndJoin()
        }

        test("B190 SQLite: what is cancelled is the open result; other statements of the connection are not") {
            jdbcTest(Embedded.sqlite(), sessions = 1) { pool ->
                pool.exec("create table n (n int)")
                pool.execBatch("insert into n values (?)", List(2_000) { listOf(it) }, OpOptions.DEFAULT)
                pool.conn { conn ->
                    repeat(20) { round ->
                        val rows = conn.query("select * from n")
                        rows.next() shouldBe true
                        rows.close()
                        coroutineScope {
                            val call = launch { conn.queryRow(Embedded.sqlite().endless) }
                            delay(round.milliseconds)
                            call.cancelAndJoin()
                        }
                        conn.scalar("select count(*) from n") shouldBe 2_000
                    }
                }
                pool.stats().destroyed.values.sum() shouldBe 0
            }
        }

        test("B200 ten thousand operations at once on ten sessions: all end, and never more than ten run") {
            // The last of them waits for all the others.
            val policy = StoragePolicy(acquireTimeout = 2.minutes)
            val connections = PoolPolicy(1, SESSIONS, claimTimeout = 2.minutes)
            jdbcTest(Embedded.h2(), policy = policy, connections = connections) { pool ->
                val sessions = ConcurrentHashMap.newKeySet<Int>()
                coroutineScope {
                    repeat(OPERATIONS) {
                        launch { sessions += checkNotNull(pool.queryRow("select session_id()")).getInt(0) }
                    }
                }
                // None was replaced, and each runs one at a time.
                pool.stats().destroyed.values.sum() shouldBe 0
                sessions.size shouldBeLessThanOrEqualTo SESSIONS
                pool.stats().acquired shouldBe OPERATIONS.toLong()
                pool.stats().leased shouldBe 0
            }
        }
    })

private const val OPERATIONS = 10_000
private const val SESSIONS = 10

package dev.carom.storage

import dev.carom.storage.memory.MemorySql
import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlCursor
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.SqlResult
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.openSql
import dev.carom.storage.sql.sql
import dev.carom.storage.sql.stream
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.merge
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.zip
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds

/** Rows without end in pages; the fetch that [script] says fails or waits. */
private class PagedDriver(private val script: suspend (Int) -> Unit) : SqlDriver<FakeSession> {
    var closed = 0
    var largest = 0

    override suspend fun exec(session: FakeSession, sql: Sql): SqlResult = SqlResult(0)

    override suspend fun execBatch(
        session: FakeSession,
        text: String,
        batch: List<List<Any?>>,
        options: OpOptions,
    ): List<Long> = emptyList()

    override fun classify(error: Throwable): ErrorInfo? = (error as? FakeError)?.let { ErrorInfo(it.category) }

    override suspend fun open(session: FakeSession, sql: Sql): SqlCursor = object : SqlCursor {
        override val columns = Columns(listOf(ColumnInfo("n", "bigint")))
        private var fetches = 0

        override suspend fun fetch(max: Int): List<Row> {
            largest = maxOf(largest, max)
            script(++fetches)
            return List(max) { Row(columns, listOf((fetches - 1) * max + it + 1)) }
        }

        override suspend fun close() {
            closed++
        }
    }
}

private fun pagedTest(
    script: suspend (Int) -> Unit,
    block: suspend TestScope.(SqlPool, PagedDriver) -> Unit,
) = runTest {
    val driver = PagedDriver(script)
    val source = LocalSessions(1) { FakeSession(1) }
    val pool = openSql("paged", driver, source, StoragePolicy(), testScheduler.timeSource, Random(1))
    block(pool, driver)
    pool.stats().leased shouldBe 0
    pool.close(0)
}

class StreamTest :
    FunSpec({
        test("B136 streams through flowOn, buffer, zip and merge: the right rows, and each session is back") {
            runTest {
                val pool = MemorySql().open(this, "memory", 2, StoragePolicy(), testScheduler.timeSource)
                pool.exec("create table t (id bigint primary key)")
                for (id in 1..10) pool.exec("insert into t (id) values (?)", id)
                val ids = pool.stream("select id from t").map { it.getInt(0) }
                ids.flowOn(Dispatchers.Default).buffer(3).toList() shouldContainExactly (1..10).toList()
                ids.zip(ids) { a, b -> a + b }.toList() shouldContainExactly (1..10).map { it * 2 }
                merge(ids, ids).toList() shouldContainExactlyInAnyOrder (1..10) + (1..10)
                pool.stats().leased shouldBe 0
                pool.close(0)
            }
        }

        test("B130 B145 an error in the tenth page: the pages before it, then the error, the session back once") {
            pagedTest({ fetch -> if (fetch == 10) throw FakeError(ErrorCategory.OTHER) }) { pool, driver ->
                val seen = mutableListOf<Int>()
                failureOf {
                    pool.stream(sql("select n").with(OpOptions(fetchSize = 100))).collect { seen += it.getInt(0) }
                }.shouldBeInstanceOf<StorageException.Platform>().category shouldBe ErrorCategory.OTHER
                seen shouldContainExactly (1..900).toList()
                driver.closed shouldBe 1
                pool.exec("anything")
            }
        }

        test("B133 no more than a page is asked for, however many rows there are") {
            pagedTest({}) { pool, driver ->
                var seen = 0
                failureOf {
                    pool.stream(sql("select n").with(OpOptions(fetchSize = 7))).collect {
                        if (++seen ==
                            1_000
                        ) {
                            error("")
                        }
                    }
                }
                driver.largest shouldBe 7
                driver.closed shouldBe 1
            }
        }

        test("B140 cancelled while a page is fetched, and between two pages: the cursor is closed, the session back") {
            val gate = CompletableDeferred<Unit>()
            pagedTest({ fetch -> if (fetch == 2) gate.await() }) { pool, driver ->
                val inPage = launch { pool.stream(sql("select n").with(OpOptions(fetchSize = 2))).collect {} }
                runCurrent()
                inPage.cancelAndJoin()
                driver.closed shouldBe 1
                pool.stats().leased shouldBe 0
                val rows = CompletableDeferred<Unit>()
                val between = launch {
                    pool.stream(sql("select n").with(OpOptions(fetchSize = 2))).collect {
                        if (it.getInt(0) == 2) {
                            rows.complete(Unit)
                            CompletableDeferred<Unit>().await()
                        }
                    }
                }
                rows.await()
                between.cancelAndJoin()
                driver.closed shouldBe 2
                pool.exec("anything")
            }
        }

        test("B8 the time of a wait runs out at the moment a session comes: served or refused, and never lost") {
            storageTest(capacity = 1, policy = StoragePolicy(acquireTimeout = 10.milliseconds)) {
                repeat(200) { n ->
                    val conn = pool.conn()
                    var failure: Throwable? = null
                    val order = listOf(
                        suspend { failure = failureOf { pool.use { } } },
                        suspend {
                            kotlinx.coroutines.delay(10.milliseconds)
                            conn.close()
                        },
                    )
                    val both = (if (n % 2 == 0) order else order.reversed()).map { test.launch { it() } }
                    both.forEach { it.join() }
                    if (failure != null) failure.shouldBeInstanceOf<StorageException.AcquireTimeout>()
                    leased shouldBe 0
                    pool.use { }
                }
            }
        }

        test("B186 after a random run: what was acquired is back, what was opened is destroyed or idle") {
            storageTest(capacity = 3) {
                val random = Random(186)
                val jobs = (1..500).map { n ->
                    test.launch {
                        when (n % 3) {
                            0 -> pool.use { kotlinx.coroutines.delay(random.nextInt(5).milliseconds) }
                            1 -> pool.txn { kotlinx.coroutines.delay(random.nextInt(5).milliseconds) }
                            else -> pool.conn { it.use { } }
                        }
                    }.also { if (random.nextInt(3) == 0) it.cancel() }
                }
                jobs.forEach { it.join() }
                val stats = pool.stats()
                stats.leased shouldBe 0
                stats.waiting shouldBe 0
                sessions.count { it.disposed }.toLong() shouldBe stats.destroyed.values.sum()
                (sessions.size - sessions.count { it.disposed } <= 3) shouldBe true
            }
        }
    })

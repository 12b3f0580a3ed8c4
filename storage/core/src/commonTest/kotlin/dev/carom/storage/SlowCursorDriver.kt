package dev.carom.storage

import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlCursor
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.SqlResult
import dev.carom.storage.sql.openSql
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.test.TestScope

/** A cursor that delivers when the test says so. */
class SlowCursorDriver : SqlDriver<FakeSession> {
    val gate = CompletableDeferred<Unit>()
    var closed = 0

    override val capabilities: Capabilities = Capabilities()

    override suspend fun begin(session: FakeSession, policy: TxnPolicy) {
        session.txn = SessionTxn.OPEN
    }

    override suspend fun rollback(session: FakeSession) {
        session.txn = SessionTxn.IDLE
    }

    override fun txnOf(session: FakeSession): SessionTxn = session.txn

    override suspend fun exec(session: FakeSession, sql: Sql): SqlResult = SqlResult(0)

    override suspend fun execBatch(
        session: FakeSession,
        text: String,
        batch: List<List<Any?>>,
        options: OpOptions,
    ): List<Long> = emptyList()

    override suspend fun open(session: FakeSession, sql: Sql): SqlCursor = object : SqlCursor {
        override val columns = Columns(listOf(ColumnInfo("c", "bigint")))

        override suspend fun fetch(max: Int): List<Row> {
            gate.await()
            return listOf(Row(columns, listOf(1L)))
        }

        override suspend fun close() {
            closed++
        }
    }
}

fun TestScope.openSlow(driver: SlowCursorDriver): SqlPool = openSql(
    "slow",
    driver,
    LocalSessions(1) { FakeSession(1) },
    StoragePolicy(),
    testScheduler.timeSource,
    kotlin.random.Random(1),
)

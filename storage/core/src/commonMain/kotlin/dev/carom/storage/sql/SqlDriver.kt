package dev.carom.storage.sql

import dev.carom.storage.ConnCore
import dev.carom.storage.NestingTxn
import dev.carom.storage.OpOptions
import dev.carom.storage.PoolCore
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.StorageConn
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageKind
import dev.carom.storage.StoragePolicy
import dev.carom.storage.StoragePool
import dev.carom.storage.TxnCore
import dev.carom.storage.openStorage
import dev.carom.storage.split.Split
import dev.carom.storage.split.SplitPool
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import kotlin.random.Random
import kotlin.time.TimeSource

/**
 * What a relational adapter adds to a [StorageDriver]. Each call is one conversation with the server; between two calls of a
 * cursor nothing runs.
 *
 * @param S the session.
 */
public interface SqlDriver<S : Any> : StorageDriver<S> {
    override val kind: StorageKind get() = StorageKind.RELATIONAL

    public suspend fun exec(session: S, sql: Sql): SqlResult

    public suspend fun execBatch(session: S, text: String, batch: List<List<Any?>>, options: OpOptions): List<Long>

    /** Starts a query. The cursor is used on the same session only, and closed before anything else runs there. */
    public suspend fun open(session: S, sql: Sql): SqlCursor

    /** The first row of a result, or null; the others are not wanted. Default: opens a cursor and closes it. */
    public suspend fun first(session: S, sql: Sql): Row? {
        val cursor = open(session, sql)
        val row = try {
            cursor.fetch(1).firstOrNull()
        } catch (failure: Throwable) {
            // Also when cancelled: a cursor that stays open would keep the session from being used.
            withContext(NonCancellable) {
                try {
                    cursor.close()
                } catch (closing: Throwable) {
                    failure.addSuppressed(closing)
                }
            }
            throw failure
        }
        withContext(NonCancellable) { cursor.close() }
        return row
    }
}

/** A result on the server, or on its way. */
public interface SqlCursor {
    public val columns: Columns

    /** The next rows, at most [max]; fewer than that, or none, at the end only. */
    public suspend fun fetch(max: Int): List<Row>

    /** Frees what the result holds. What runs for it has ended or been cancelled before. */
    public suspend fun close()
}

/** Makes relational pools of a driver. From Java: `BlockingSqlPool.open`. */
public fun <S : Any> CoroutineScope.openSql(
    name: String,
    driver: SqlDriver<S>,
    source: SessionSource<S>,
    policy: StoragePolicy,
    timeSource: TimeSource,
    random: Random,
): SqlPool = CoreSqlPool(openStorage(name, driver, source, policy, timeSource, random), driver)

/** [openSql] with the clock and the dice of the system. */
public fun <S : Any> CoroutineScope.openSql(
    name: String,
    driver: SqlDriver<S>,
    source: SessionSource<S>,
    policy: StoragePolicy = StoragePolicy(),
): SqlPool = CoreSqlPool(openStorage(name, driver, source, policy), driver)

/**
 * Makes a relational pool over a primary and its replicas; [split] knows where their sessions are. From Java:
 * `BlockingSqlSplit`.
 */
public fun <S : Any> CoroutineScope.openSqlSplit(
    name: String,
    driver: SqlDriver<S>,
    split: Split<S>,
    policy: StoragePolicy = StoragePolicy(),
): SplitPool<SqlPool, SqlTxn> {
    val core = openStorage(name, driver, split.source, policy)
    return split.over<SqlPool, SqlTxn>(CoreSqlPool(core, driver), core)
}

/** [SqlOps] on any sessions of [driver]: for a storage type of one's own that also speaks SQL. */
public fun <S : Any> sqlOps(sessions: Sessions<S>, driver: SqlDriver<S>): SqlOps = SessionSqlOps(sessions, driver)

private class CoreSqlTxn<S : Any>(core: TxnCore<S>, driver: SqlDriver<S>) :
    SqlTxn,
    NestingTxn<SqlTxn> by core.nesting({ CoreSqlTxn(it, driver) }),
    SqlOps by SessionSqlOps(core, driver)

private class CoreSqlConn<S : Any>(core: ConnCore<S>, driver: SqlDriver<S>) :
    SqlConn,
    StorageConn<SqlTxn> by core.typed({ CoreSqlTxn(it, driver) }),
    SqlOps by SessionSqlOps(core, driver)

private class CoreSqlPool<S : Any>(core: PoolCore<S>, driver: SqlDriver<S>) :
    SqlPool,
    StoragePool<SqlConn, SqlTxn> by core.typed({ CoreSqlConn(it, driver) }, { CoreSqlTxn(it, driver) }),
    SqlOps by SessionSqlOps(core, driver) {
    override val nearest: SqlOps = SessionSqlOps(core.nearest(), driver)
}

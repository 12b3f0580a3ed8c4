package dev.carom.storage.split

import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlDriver

/**
 * What PostgreSQL (10 or later) tells of its streaming replicas, over any driver. A token is a position in the write-ahead
 * log, `16/B374D848`.
 *
 * The lag is as far as the replica knows: nothing while it has applied all it has received and its primary is connected,
 * else the age of the last transaction it has applied. A replica whose primary is gone cannot tell.
 *
 * @param S the session.
 */
public class PostgresReplication<S : Any>(private val driver: SqlDriver<S>) : Replication<S> {
    // The end of what is reserved, not of what is written: a commit that does not wait for the disk is behind that too.
    override suspend fun token(session: S): WriteToken =
        WriteToken(ask(session, "select pg_current_wal_insert_lsn()::text").getString(0))

    override suspend fun hasReached(session: S, token: WriteToken): Boolean =
        ask(session, "select coalesce(pg_last_wal_replay_lsn() >= cast(? as pg_lsn), false)", token.text).getBoolean(0)

    override fun covers(later: WriteToken, earlier: WriteToken): Boolean = position(later) >= position(earlier)

    override suspend fun lagMillis(session: S): Long {
        val row = ask(session, LAG)
        return if (row.isNull(0)) Long.MAX_VALUE else row.getLong(0).coerceAtLeast(0)
    }

    private suspend fun ask(session: S, text: String, vararg params: Any?): Row {
        val cursor = driver.open(session, Sql.of(text, params.asList()))
        try {
            return cursor.fetch(2).first()
        } finally {
            cursor.close()
        }
    }

    /** Two halves of 32 bits, in hexadecimal. */
    private fun position(token: WriteToken): ULong {
        val (high, low) = token.text.split('/').also { require(it.size == 2) { "no position in a log: $token" } }
        return (high.toULong(radix = 16) shl HALF) or low.toULong(radix = 16)
    }

    private companion object {
        const val HALF = 32

        const val LAG =
            "select case when not pg_is_in_recovery() then null " +
                "when not exists (select from pg_stat_wal_receiver) then null " +
                "when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0 " +
                "else cast(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000 as bigint) end"
    }
}

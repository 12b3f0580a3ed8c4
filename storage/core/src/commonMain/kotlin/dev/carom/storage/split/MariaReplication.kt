package dev.carom.storage.split

import dev.carom.storage.split.internal.MariaGtids
import dev.carom.storage.split.internal.all
import dev.carom.storage.split.internal.placeOf
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.SqlDriver

/**
 * What MariaDB (10.5 or later, with its binary log on and `MASTER_USE_GTID`) tells of its replicas, over any driver. A
 * token is a position by global transaction ids, `0-1-4711`, one for each replication domain. Sequence numbers of a domain
 * must only grow, which `gtid_strict_mode` sees to.
 *
 * The lag is as far as the replica knows: nothing while it has applied all it has received and its primary is connected,
 * else `Seconds_Behind_Master`, to the next full second. A replica whose primary is gone cannot tell. Asking for it takes the
 * privilege `REPLICA MONITOR`; without, no replica serves [Consistency.MaxLag].
 *
 * @param S the session.
 */
public class MariaReplication<S : Any>(private val driver: SqlDriver<S>) : Replication<S> {
    // Also where the server was a replica until now, and has not written anything since.
    override suspend fun token(session: S): WriteToken =
        driver.placeOf(session, "gtid_current_pos")

    override suspend fun hasReached(session: S, token: WriteToken): Boolean = covers(applied(session), token)

    override fun covers(later: WriteToken, earlier: WriteToken): Boolean =
        MariaGtids.of(later.text).covers(MariaGtids.of(earlier.text))

    // The position moves when the transaction has been committed here.
    private suspend fun applied(session: S): WriteToken =
        driver.placeOf(session, "gtid_slave_pos")

    override suspend fun lagMillis(session: S): Long {
        val sources = driver.all(session, "show slave status")
        if (sources.isEmpty()) return Long.MAX_VALUE
        val applied = applied(session)
        return sources.maxOf { lag(it, applied) }
    }

    private fun lag(source: Row, applied: WriteToken): Long {
        val received = source.getStringOrNull("Gtid_IO_Pos").orEmpty()
        return when {
            source.getString("Slave_IO_Running") != "Yes" -> Long.MAX_VALUE
            received.isNotEmpty() && covers(applied, WriteToken(received)) -> 0
            else -> source.getLongOrNull("Seconds_Behind_Master")?.let { (it + 1) * SECOND } ?: Long.MAX_VALUE
        }
    }

    private companion object {
        const val SECOND = 1_000L
    }
}

package dev.carom.storage.split

import dev.carom.storage.split.internal.MysqlGtids
import dev.carom.storage.split.internal.all
import dev.carom.storage.split.internal.placeOf
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.SqlDriver

/**
 * What MySQL (8.0.22 or later, with `gtid_mode=ON`) tells of its replicas, over any driver. A token is a set of global
 * transaction ids, `3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23`.
 *
 * The lag is as far as the replica knows: nothing while it has applied all it has received and its primary is connected,
 * else `Seconds_Behind_Source`, to the next full second. A replica whose primary is gone cannot tell. Asking for it takes the
 * privilege `REPLICATION CLIENT`; without, no replica serves [Consistency.MaxLag].
 *
 * @param S the session.
 */
public class MysqlReplication<S : Any>(private val driver: SqlDriver<S>) : Replication<S> {
    override suspend fun token(session: S): WriteToken =
        driver.placeOf(session, "gtid_executed")

    override suspend fun hasReached(session: S, token: WriteToken): Boolean = covers(token(session), token)

    override fun covers(later: WriteToken, earlier: WriteToken): Boolean =
        MysqlGtids.of(later.text).covers(MysqlGtids.of(earlier.text))

    override suspend fun lagMillis(session: S): Long =
        driver.all(session, "show replica status").maxOfOrNull(::lag) ?: Long.MAX_VALUE

    private fun lag(source: Row): Long {
        val received = WriteToken(source.getStringOrNull("Retrieved_Gtid_Set").orEmpty())
        val applied = WriteToken(source.getStringOrNull("Executed_Gtid_Set").orEmpty())
        return when {
            source.getString("Replica_IO_Running") != "Yes" -> Long.MAX_VALUE

            // An empty set says nothing: it received nothing since it was started, or does not count.
            received.text.isNotEmpty() && covers(applied, received) -> 0

            else -> source.getLongOrNull("Seconds_Behind_Source")?.let { (it + 1) * SECOND } ?: Long.MAX_VALUE
        }
    }

    private companion object {
        const val SECOND = 1_000L
    }
}

package dev.carom.storage

import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.SqlTxn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.stream
import kotlinx.coroutines.flow.toList

// Two storages, one of which decides: what is to be told to the other is written down in the transaction, told after its
// commit, and crossed out. No second phase, no coordinator. What goes wrong on the way stays written down, and is told later:
// at least once, so whoever is told must bear to hear it twice. It takes a table
//
//     create table outbox (id varchar primary key, place varchar, payload varchar)
//
// and somebody who calls [Outbox.relay] now and then.

/** @param tell the other storage; throws if it could not be told. Hears the same id again if it was told twice. */
class Outbox(private val sql: SqlPool, private val tell: suspend (id: String, place: String, payload: String) -> Unit) {
    /**
     * Tells it when [txn] has been committed. Rolled back: never. If nobody knows whether it was, the table does: [relay].
     */
    suspend fun send(txn: SqlTxn, id: String, place: String, payload: String) {
        txn.exec("insert into outbox values (?, ?, ?)", id, place, payload)
        // Nothing for an unknown outcome: what is not certain must not be told.
        txn.hooks.afterCommit { deliver(id) }
    }

    /** Tells what is still written down; how much that was. Stops at the first that cannot be told. */
    suspend fun relay(): Int {
        val left = sql.stream("select id from outbox").toList().map { it.getString(0) }
        return left.count { deliver(it) }
    }

    private suspend fun deliver(id: String): Boolean {
        val row = sql.queryRow("select place, payload from outbox where id = ?", id) ?: return false
        tell(id, row.getString("place"), row.getString("payload"))
        return sql.exec("delete from outbox where id = ?", id).rowsAffected == 1L
    }
}

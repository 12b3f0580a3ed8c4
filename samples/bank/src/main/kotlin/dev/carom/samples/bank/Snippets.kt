package dev.carom.samples.bank

import dev.carom.pool.Resolver
import dev.carom.storage.Isolation
import dev.carom.storage.RetryPolicy
import dev.carom.storage.TxnPolicy
import dev.carom.storage.jdbc.JdbcDialect
import dev.carom.storage.jdbc.openJdbc
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.exec
import dev.carom.storage.txn
import kotlinx.coroutines.CoroutineScope
import java.sql.DriverManager

/** What the README shows, compiled. */
class Snippets(private val login: String, private val publish: suspend (String) -> Unit) {
    // snippet: kotlin-storage
    fun CoroutineScope.openBank(resolver: Resolver): SqlPool =
        openJdbc("bank", JdbcDialect.POSTGRESQL, resolver, { backend ->
            DriverManager.getConnection("jdbc:postgresql://${backend.host}:${backend.port}/postgres?$login")
        })

    suspend fun transfer(pool: SqlPool, from: Int, to: Int, amount: Long) {
        val policy = TxnPolicy(Isolation.SERIALIZABLE, retry = RetryPolicy(attempts = 10))
        pool.txn(policy) { txn ->
            // cancelled in here: the statement is stopped on the server, and all is rolled back
            txn.exec("update account set balance = balance - ? where id = ?", amount, from)
            txn.exec("update account set balance = balance + ? where id = ?", amount, to)
            txn.hooks.afterCommit { publish("moved $amount from $from to $to") }
        }
    }
    // end
}

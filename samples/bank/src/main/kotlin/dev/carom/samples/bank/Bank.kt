package dev.carom.samples.bank

import dev.carom.storage.ErrorCategory
import dev.carom.storage.Isolation
import dev.carom.storage.RetryPolicy
import dev.carom.storage.StorageException
import dev.carom.storage.TxnPolicy
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.one
import dev.carom.storage.txn
import java.util.UUID
import kotlin.time.Duration.Companion.milliseconds

/** Accounts, and a book of what was moved. */
class Bank(private val pool: SqlPool) {
    private val serializable = TxnPolicy(
        Isolation.SERIALIZABLE,
        retry = RetryPolicy(
            50,
            start = 2.milliseconds,
            max = 50.milliseconds,
            categories = setOf(ErrorCategory.SERIALIZATION, ErrorCategory.DEADLOCK),
        ),
        label = "transfer",
    )

    suspend fun open() {
        pool.exec("create table account (id int primary key, balance bigint not null check (balance >= 0))")
        pool.exec("create table book (id uuid primary key, source int, target int, amount bigint)")
        pool.exec("insert into account select n, ? from generate_series(1, ?) n", START, ACCOUNTS)
    }

    /** Moves money, or nothing. Returns whether there was enough. */
    suspend fun transfer(id: UUID, source: Int, target: Int, amount: Long): Boolean = pool.txn(serializable) { txn ->
        val balance = txn.one("select balance from account where id = ?", source).getLong(0)
        if (balance >= amount) {
            txn.exec("update account set balance = balance - ? where id = ?", amount, source)
            txn.exec("update account set balance = balance + ? where id = ?", amount, target)
            txn.exec("insert into book values (?, ?, ?, ?)", id, source, target, amount)
        }
        balance >= amount
    }

    companion object {
        const val ACCOUNTS = 20
        const val START = 1_000L

        /** The failures that a restart of the server explains. */
        @JvmStatic
        fun isOutage(failure: StorageException): Boolean = when (failure) {
            is StorageException.Platform ->
                failure.category == ErrorCategory.CONNECTION || failure.state == "25P03" || failure.state == "57P03"

            is StorageException.ConnBroken, is StorageException.ConnectFailed, is StorageException.AcquireTimeout,
            is StorageException.CommitOutcomeUnknown, is StorageException.TxnFinished, is StorageException.TxnFailed,
            is StorageException.OpTimeout,
            -> true

            else -> false
        }
    }
}

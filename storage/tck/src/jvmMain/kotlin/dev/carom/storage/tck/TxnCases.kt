package dev.carom.storage.tck

import dev.carom.storage.ConnStatus
import dev.carom.storage.Isolation
import dev.carom.storage.StorageException
import dev.carom.storage.TxnCore
import dev.carom.storage.TxnEnd
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus
import dev.carom.storage.conn
import dev.carom.storage.rollbackWith
import dev.carom.storage.setRollbackOnly
import dev.carom.storage.txn
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

internal fun <S : Any> CaseList<S>.txnCases() {
    case("B57", "a transaction from the pool that is committed is visible, and its session is back") {
        pool.txn { write(it, "a", "1") }
        settle("nothing is leased") { leased == 0 }
        checkEquals("the value", "1", read(pool, "a"))
    }

    case("B58", "a transaction from the pool that is rolled back left nothing, and its session is back") {
        write(pool, "a", "before")
        val txn = pool.beginTxn()
        write(txn, "a", "inside")
        checkEquals("inside", "inside", read(txn, "a"))
        txn.rollback()
        checkEquals("afterwards", "before", read(pool, "a"))
    }

    case("B59", "transactions on a connection leave it open, on the same session") {
        pool.conn { conn ->
            conn.txn { write(it, "a", "1") }
            failure<IllegalStateException>("the block") {
                conn.txn {
                    write(it, "a", "2")
                    error("undo")
                }
            }
            checkEquals("status", ConnStatus.OPEN, conn.status)
            checkEquals("the value", "1", read(conn, "a"))
        }
    }

    case("B61", "cancelled while waiting for a session: no transaction", capacity = 1) {
        val conn = pool.conn()
        supervisorScope {
            val call =
                launch(start = CoroutineStart.UNDISPATCHED) { pool.txn { throw AssertionError("the block ran") } }
            call.cancelAndCheck("the begin")
        }
        conn.close()
        write(pool, "a", "1")
    }

    case("B62", "cancelled around the begin, at random: no transaction is left on a session", capacity = 2) {
        val random = Random(62)
        supervisorScope {
            repeat(200) {
                val call = launch { pool.txn { write(it, "a", "lost").also { awaitCancellation() } } }
                delay(random.nextInt(4).milliseconds)
                call.cancel()
                call.join()
            }
        }
        repeat(2) { write(pool, "b$it", "1") }
        checkEquals("the value", null, read(pool, "a"))
    }

    if (target.stopsRunning) {
        case("B63", "a cancelled operation leaves its transaction as the platform says; it can be rolled back") {
            val txn = pool.beginTxn(TxnPolicy(owned = false))
            write(txn, "a", "1")
            supervisorScope {
                val call = launch { target.slow(txn, LONG) }
                delay(20)
                call.cancelAndCheck("the operation")
            }
            when (txn.status) {
                TxnStatus.ACTIVE -> txn.rollback()
                TxnStatus.FAILED -> failure<StorageException.TxnFailed>("the commit") { txn.commit() }
                else -> checkEquals("the end", TxnEnd.PLATFORM, endOf(txn))
            }
            checkEquals("the value", null, read(pool, "a"))
        }

        case("B65", "the owner is cancelled in an operation: settled, then rolled back", capacity = 1) {
            supervisorScope {
                val call = launch {
                    val txn = pool.beginTxn()
                    write(txn, "a", "1")
                    target.slow(txn, LONG)
                }
                delay(20)
                call.cancelAndCheck("the owner")
            }
            checkEquals("the value", null, read(pool, "a"))
        }
    }

    case("B64", "the owner is cancelled while its transaction is idle: rolled back, nothing locked", capacity = 2) {
        supervisorScope {
            val written = CompletableDeferred<Unit>()
            val owner = launch {
                val txn = pool.beginTxn()
                write(txn, "a", "lost")
                written.complete(Unit)
                awaitCancellation()
            }
            written.await()
            owner.cancelAndCheck("the owner")
        }
        settle("nothing is leased") { leased == 0 }
        write(pool, "a", "free")
        checkEquals("the value", "free", read(pool, "a"))
    }
}

private suspend fun endOf(txn: TxnCore<*>): TxnEnd? = failure<StorageException.TxnFinished>("the commit") {
    txn.commit()
}.end

internal fun <S : Any> CaseList<S>.txnEndCases() {
    case("B67", "ended is ended: a second commit, a rollback and an operation are refused, and the data stays") {
        val txn = pool.beginTxn()
        write(txn, "a", "1")
        txn.commit()
        checkEquals("a second commit", TxnEnd.COMMIT, endOf(txn))
        failure<StorageException.TxnFinished>("a rollback") { txn.rollback() }
        failure<StorageException.TxnFinished>("an operation") { read(txn, "a") }
        checkEquals("the value", "1", read(pool, "a"))
    }

    case("B75", "a read-only transaction refuses writes") {
        write(pool, "a", "1")
        pool.txn(TxnPolicy(readOnly = true)) { txn ->
            checkEquals("the value", "1", read(txn, "a"))
            val refused = failure<StorageException>("the write") { write(txn, "a", "2") }
            check(
                "it says why: $refused",
                refused is StorageException.ReadOnlyViolation || refused is StorageException.Platform,
            )
            if (txn.status == TxnStatus.ACTIVE) checkEquals("the value", "1", read(txn, "a"))
            txn.rollbackWith(Unit)
        }
    }

    case("B76", "each isolation level the adapter has begins, commits, and is gone from the session afterwards") {
        for (isolation in target.driver.capabilities.isolations) {
            pool.txn(TxnPolicy(isolation)) { write(it, "a", isolation.name) }
            checkEquals("the value", isolation.name, read(pool, "a"))
        }
    }

    case("B78", "a level the adapter lacks is refused before a session is taken") {
        val lacking = Isolation.entries.filter { it !in target.driver.capabilities.isolations }
        val acquired = pool.stats().acquired
        for (isolation in lacking) {
            failure<StorageException.UnsupportedIsolation>("$isolation") { pool.beginTxn(TxnPolicy(isolation)) }
        }
        checkEquals("acquired", acquired, pool.stats().acquired)
    }

    case("B79", "a transaction's time runs out: rolled back, with a timeout that is no cancellation") {
        failure<StorageException.OpTimeout>("the block") {
            pool.txn(TxnPolicy(timeout = 50.milliseconds)) {
                write(it, "a", "lost")
                delay(20.seconds)
            }
        }
        checkEquals("the value", null, read(pool, "a"))
    }

    case("B83", "cancelled by itself in the commit's hook: committed all the same") {
        supervisorScope {
            launch {
                pool.txn { txn ->
                    write(txn, "a", "1")
                    val owner = coroutineContext[kotlinx.coroutines.Job]!!
                    txn.hooks.afterCommit { owner.cancel() }
                }
            }.join()
        }
        checkEquals("the value", "1", read(pool, "a"))
    }

    case("B90", "the block's value is returned, its exception is the very same object") {
        checkEquals("the value", 42, pool.txn { 42 })
        val mine = IllegalStateException("mine")
        val caught = failure<IllegalStateException>("the block") { pool.txn { throw mine } }
        check("it is the same object", caught === mine)
    }

    case("B97", "marked for rollback, nothing is stored") {
        failure<StorageException.TxnRollbackOnly>("the block") {
            pool.txn {
                write(it, "a", "lost")
                it.setRollbackOnly()
            }
        }
        checkEquals("the value", null, read(pool, "a"))
    }

    case("B116", "what runs after the commit can use the pool, also a pool of one", capacity = 1) {
        var seen: String? = null
        pool.txn { txn ->
            write(txn, "a", "1")
            txn.hooks.afterCommit { seen = read(pool, "a") }
        }
        checkEquals("seen", "1", seen)
    }

    case("B170", "a session comes back without a transaction, however its transaction ended", capacity = 1) {
        repeat(3) { n ->
            val txn = pool.beginTxn()
            write(txn, "k$n", "v")
            if (n % 2 == 0) txn.commit() else txn.rollback()
            write(pool, "after$n", "v")
            checkEquals("visible at once", "v", read(pool, "after$n"))
        }
    }
}

internal fun <S : Any> CaseList<S>.nestedCases() {
    case("B105", "a nested transaction that throws is undone alone") {
        pool.txn { outer ->
            write(outer, "outer", "1")
            failure<IllegalStateException>("the inner block") {
                outer.txn { inner ->
                    write(inner, "inner", "1")
                    error("undo")
                }
            }
            checkEquals("inside, afterwards", null, read(outer, "inner"))
        }
        checkEquals("outer", "1", read(pool, "outer"))
        checkEquals("inner", null, read(pool, "inner"))
    }

    case("B106", "a nested transaction that was committed goes with the outer one") {
        failure<IllegalStateException>("the outer block") {
            pool.txn { outer ->
                outer.txn { write(it, "inner", "1") }
                error("undo")
            }
        }
        checkEquals("inner", null, read(pool, "inner"))
    }

    case("B108", "an outer commit with an open inner transaction is refused, and all of it rolled back") {
        val outer = pool.beginTxn()
        val inner = outer.beginTxn()
        write(inner, "a", "lost")
        failure<StorageException.UnfinishedTxn>("the commit") { outer.commit() }
        checkEquals("status", TxnStatus.ROLLED_BACK, outer.status)
        checkEquals("the value", null, read(pool, "a"))
    }

    case("B110", "three levels deep") {
        pool.txn { a ->
            write(a, "a", "1")
            a.txn { b ->
                write(b, "b", "1")
                failure<IllegalStateException>("the third") {
                    b.txn { c ->
                        write(c, "c", "1")
                        error("undo")
                    }
                }
            }
        }
        checkEquals("values", listOf("1", "1", null), listOf("a", "b", "c").map { read(pool, it) })
    }
}

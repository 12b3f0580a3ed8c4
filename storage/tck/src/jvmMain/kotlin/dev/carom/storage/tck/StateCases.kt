package dev.carom.storage.tck

import dev.carom.storage.conn
import dev.carom.storage.txn

/** What one borrower of a session leaves for the next. */
internal fun <S : Any> CaseList<S>.stateCases() {
    case("B35", "what an operation set on a connection, the next one on it finds") {
        pool.conn { conn ->
            target.remember(conn, "mine")
            checkEquals("the state", "mine", target.remembered(conn))
            conn.txn { checkEquals("the state in a transaction", "mine", target.remembered(it)) }
        }
    }

    case("B36", "what an operation set on a connection, one on another session does not find") {
        pool.conn { conn ->
            target.remember(conn, "mine")
            checkEquals("the state elsewhere", null, target.remembered(pool))
        }
    }

    if (!target.forgets) return

    case("B169", "what a connection left behind, the next borrower of its session does not find", capacity = 1) {
        pool.conn { target.remember(it, "mine") }
        checkEquals("the state of an operation's session", null, target.remembered(pool))
        failure<IllegalStateException>("the block") { pool.conn { target.remember(it, "mine").also { error("mine") } } }
        pool.conn { checkEquals("the state of a connection", null, target.remembered(it)) }
        pool.txn { checkEquals("the state of a transaction", null, target.remembered(it)) }
        checkEquals("destroyed", 0L, pool.stats().destroyed.values.sum())
    }
}

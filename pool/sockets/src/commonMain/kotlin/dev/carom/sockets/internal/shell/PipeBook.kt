package dev.carom.sockets.internal.shell

import dev.carom.sockets.SocketCounters

/**
 * The pipes of one socket, and the accounts of those that are gone: a pipe is remembered as long as one of its messages
 * waits for somebody. Guarded by the socket's guard.
 */
internal class PipeBook {
    /** From the beginning of its handshake until nothing is left of it. */
    private val live = LinkedHashMap<Int, Pipe>()
    private val survived = HashMap<Int, Pipe>()
    private val gone = Ledger()
    private var recent: Pipe? = null

    val all: Collection<Pipe> get() = live.values

    /** @param waiting messages that wait for room in some pipe. */
    fun counters(waiting: Long): SocketCounters {
        val all = Ledger().also { it.add(gone) }
        for (pipe in live.values) all.add(pipe.ledger)
        for (pipe in survived.values) all.add(pipe.ledger)
        return all.counters(live.values.sumOf { it.unwritten }, waiting)
    }

    operator fun contains(pipe: Pipe): Boolean = pipe.id in live

    fun add(pipe: Pipe) {
        live[pipe.id] = pipe
    }

    fun remove(pipe: Pipe) {
        live.remove(pipe.id)
        if (recent === pipe) recent = null
        survived[pipe.id] = pipe
        settle(pipe.id)
    }

    /** Of those that are live. Mostly it is the one of the last time. */
    fun find(pipe: Int): Pipe? = recent?.takeIf { it.id == pipe } ?: live[pipe]?.also { recent = it }

    fun ledgerOf(pipe: Int): Ledger = (find(pipe) ?: survived[pipe])?.ledger ?: gone

    /** One of its messages has come to its end: if it was the last, the account is closed. */
    fun settle(pipe: Int) {
        if (survived.isEmpty()) return
        val settled = survived[pipe]?.takeIf { it.ledger.queued <= 0 } ?: return
        survived.remove(pipe)
        gone.add(settled.ledger)
    }
}

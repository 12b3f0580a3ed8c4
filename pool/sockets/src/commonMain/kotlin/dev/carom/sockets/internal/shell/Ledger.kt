package dev.carom.sockets.internal.shell

import dev.carom.sockets.DropReason
import dev.carom.sockets.SocketCounters

/** Counts what goes through one pipe, or what went through those that are gone. Guarded by the socket's guard. */
internal class Ledger {
    var transmitted = 0L
    var transmittedBytes = 0L
    var received = 0L
    var receivedBytes = 0L
    var delivered = 0L

    /** Of [transmitted], what was not passed on in full when the link closed: counted as dropped besides. */
    var lost = 0L
    private val out = LongArray(DropReason.entries.size)
    private val incoming = LongArray(DropReason.entries.size)

    /** Messages that came in and are neither delivered nor dropped. */
    val queued: Long get() = received - delivered - incoming.sum()

    fun drop(reason: DropReason, count: Int, outgoing: Boolean) {
        (if (outgoing) out else incoming)[reason.ordinal] += count.toLong()
    }

    fun dropped(reason: DropReason, outgoing: Boolean): Long = (if (outgoing) out else incoming)[reason.ordinal]

    fun add(other: Ledger) {
        transmitted += other.transmitted
        transmittedBytes += other.transmittedBytes
        received += other.received
        receivedBytes += other.receivedBytes
        delivered += other.delivered
        lost += other.lost
        for (i in out.indices) out[i] += other.out[i]
        for (i in incoming.indices) incoming[i] += other.incoming[i]
    }

    /**
     * @param unwritten of [transmitted], what the link has not passed on yet.
     * @param waiting messages that wait for room in the pipe.
     */
    fun counters(unwritten: Long, waiting: Long): SocketCounters {
        val sent = transmitted - lost - unwritten
        return SocketCounters(
            accepted = sent + unwritten + waiting + out.sum(),
            sent = sent,
            unsent = unwritten + waiting,
            received = received,
            delivered = delivered,
            queued = queued,
            acceptedBytes = transmittedBytes,
            receivedBytes = receivedBytes,
            droppedOut = reasons(out),
            droppedIn = reasons(incoming),
        )
    }

    private fun reasons(counts: LongArray): Map<DropReason, Long> =
        DropReason.entries.filter { counts[it.ordinal] > 0 }.associateWith { counts[it.ordinal] }
}

package dev.carom.sockets.internal.wire

import dev.carom.sockets.Protocol

/**
 * The eight bytes with which both sides of a pipe begin: `00 'S' 'P' 00`, the endpoint type, two zeros
 * (sp-tcp-mapping). They may come one by one; the first wrong one is a [violation].
 */
internal class HandshakeParser(private val own: Protocol) {
    private val bytes = ByteArray(SIZE)
    private var count = 0

    var violation: Violation? = null
        private set

    /** All of it came, and the peer is one that [own] talks to. */
    val done: Boolean get() = count == SIZE && violation == null

    /** Takes what belongs to the handshake from [input]; returns where the frames begin, at most [to]. */
    fun feed(input: ByteArray, from: Int = 0, to: Int = input.size): Int {
        var at = from
        while (at < to && count < SIZE && violation == null) {
            bytes[count] = input[at++]
            violation = check(count++)
        }
        return at
    }

    private fun check(index: Int): Violation? = when {
        index < MAGIC.size -> Violation.NotSp(index, bytes.octet(index)).takeIf { bytes[index] != MAGIC[index] }
        index == TYPE_END -> pair(MAGIC.size).let { Violation.WrongPeer(own, it).takeIf { _ -> it != own.peer.code } }
        index == SIZE - 1 -> pair(TYPE_END + 1).let { Violation.Reserved(it).takeIf { _ -> it != 0 } }
        else -> null
    }

    private fun pair(at: Int) = (bytes.octet(at) shl 8) or bytes.octet(at + 1)

    companion object {
        const val SIZE = 8
        private const val TYPE_END = 5
        private val MAGIC = byteArrayOf(0, 'S'.code.toByte(), 'P'.code.toByte(), 0)

        /** What [own] says. */
        fun bytesOf(own: Protocol): ByteArray =
            MAGIC + byteArrayOf((own.code ushr 8).toByte(), own.code.toByte(), 0, 0)
    }
}

package dev.carom.sockets.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.sockets.Protocol
import dev.carom.sockets.internal.wire.HandshakeParser

/** The first byte says who listens; the rest is what the peer says, at once and byte by byte. */
internal class HandshakeTarget : FuzzTarget(fixed = 8_192, perByte = 8) {
    override fun prepare(): (ByteArray) -> Unit = { input ->
        if (input.isNotEmpty()) {
            val own = Protocol.entries[(input[0].toInt() and 0xFF) % Protocol.entries.size]
            hear(own, input)
        }
    }

    private fun hear(own: Protocol, input: ByteArray) {
        val whole = HandshakeParser(own)
        val end = whole.feed(input, from = 1)
        val chopped = HandshakeParser(own)
        var at = 1
        while (at < input.size && chopped.feed(input, at, at + 1) > at) at++
        check(end == at && end - 1 <= HandshakeParser.SIZE) { "read until $end at once, $at byte by byte" }
        check(whole.violation == chopped.violation) { "${whole.violation} at once, ${chopped.violation} byte by byte" }
        val said = input.copyOfRange(1, minOf(input.size, 1 + HandshakeParser.SIZE))
        val right = said.contentEquals(HandshakeParser.bytesOf(own.peer))
        check(whole.done == right && chopped.done == right) { "done ${whole.done}, chopped ${chopped.done}" }
    }
}

package dev.carom.sockets.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.sockets.SocketException
import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.SocketAddress

/** The first byte says what stands behind the scheme, and whether to bind; the rest is a URL: an address, or why not. */
internal class AddressTarget : FuzzTarget(fixed = 262_144, perByte = 256) {
    override fun prepare(): (ByteArray) -> Unit = { if (it.isNotEmpty()) read(it) }

    private fun read(input: ByteArray) {
        val choice = input[0].toInt() and 0xFF
        val addressing = Addressing.entries[choice / 2 % Addressing.entries.size]
        val bind = choice % 2 == 1
        val address = try {
            SocketAddress.parse(input.decodeToString(1), addressing, bind)
        } catch (_: SocketException.InvalidAddress) {
            return
        }
        val again = SocketAddress.parse(address.toString(), addressing, bind)
        check(again == address) { "$again is not $address" }
        check(address.port in 0..65_535) { "port ${address.port}" }
    }
}

package dev.carom.gossip.conformance

import dev.carom.gossip.IdentityCodec
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.TestId

/** Identities of [size] bytes, most of them zeros. */
class PaddedIds(private val size: Int) : IdentityCodec<TestId> {
    override fun write(identity: TestId, to: PacketWriter) {
        to.byte(identity.addr)
        to.byte(identity.bump)
        to.zeros(size - 2)
    }

    override fun read(from: PacketReader): TestId {
        val id = TestId(from.byte(), from.byte())
        from.skip(size - 2)
        return id
    }
}

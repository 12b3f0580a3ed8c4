package dev.carom.gossip.internal

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Identity
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.Refusal
import dev.carom.gossip.SwimPolicy

/**
 * What members say about themselves. News carries only the version its sender holds; whoever holds less asks that
 * sender for the rest, over a stream, and only then says the new version itself: so the owner is not asked by everyone.
 */
internal class MetadataBook<I : Identity<I>>(private val node: Node<I>) {
    /** Our own. */
    var own = NO_BYTES
        private set

    /** Version of our own; 0: none was ever set. */
    var version = 0L
        private set

    /** What to ask whom at the end of this event. */
    private val wanted = LinkedHashMap<I, MutableList<Record<I>>>()

    fun set(metadata: ByteArray) {
        if (!node.codec.extended) {
            return node.refuse(Refusal.Reason.MetadataNotCarried, "the codec carries no metadata")
        }
        if (metadata.size > SwimPolicy.MAX_METADATA) {
            val detail = "metadata of ${metadata.size} bytes, at most ${SwimPolicy.MAX_METADATA} allowed"
            return node.refuse(Refusal.Reason.MetadataTooBig, detail)
        }
        own = metadata
        version++
        spread()
    }

    /** Somebody remembers a version of ours: from an earlier life under this identity, if it is greater. */
    fun heardOfOwn(other: Long) {
        if (other <= version || other == Long.MAX_VALUE) return
        version = other + 1
        spread()
    }

    /** [via] holds [version] of the metadata of [record]. */
    fun heard(record: Record<I>, version: Long, via: I) {
        if (version <= record.metadataVersion || version <= record.pulling || !node.codec.extended) return
        record.pulling = version
        wanted.getOrPut(via) { ArrayList() } += record
    }

    /** Asks for what was found missing during this event. */
    fun flush() {
        if (wanted.isEmpty()) return
        for ((via, records) in wanted) {
            for (some in records.chunked(AT_ONCE)) node.streams.pull(via, some)
        }
        wanted.clear()
    }

    fun received(id: I, version: Long, metadata: ByteArray) {
        val record = node.table.find(id.address()) ?: return
        if (record.id != id || version <= record.metadataVersion) return
        record.metadata = metadata
        record.metadataVersion = version
        node.tell(GossipNotice.MetadataChanged(id, version, metadata))
        if (record.active) node.membership.queue(record)
    }

    private fun spread() {
        val update = MemberUpdate(node.identity, node.incarnation, MemberState.Alive, null, version)
        node.membership.queue(node.identity.address(), update)
    }

    private companion object {
        const val AT_ONCE = 64
    }
}

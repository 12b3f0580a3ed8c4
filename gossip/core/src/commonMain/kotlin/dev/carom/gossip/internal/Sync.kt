package dev.carom.gossip.internal

import dev.carom.gossip.Identity
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.PacketReader

/**
 * Compares the whole membership with that of another member: first hashes of buckets, then only the buckets that
 * differ. What gossip lost is found here, whatever the cluster's size.
 *
 * Hashed are active members: identity, incarnation, metadata version. The dead are left out, or nodes that forget them
 * at different times would teach each other the dead for ever; and a member is taken from the living by such a
 * comparison only if it was known as alive.
 */
internal class Sync<I : Identity<I>>(private val node: Node<I>) {
    /** When the next comparison is due. */
    var next = NEVER
        private set

    fun start() {
        // The first one at once: whoever joins wants to know everyone.
        next = if (node.codec.extended && node.policy.syncInterval.isFinite()) node.now else NEVER
    }

    fun stop() {
        next = NEVER
    }

    /** Somebody came: gossip reaches nearly everyone in a few periods; compare soon for the sake of the others. */
    fun hasten() {
        if (next == NEVER) return
        next = minOf(next, node.now + jittered(SOON * node.policy.probePeriod.inWholeNanoseconds))
    }

    fun tick() {
        if (node.now < next) return
        val scaled = node.policy.syncInterval * syncScale(node.clusterSize)
        next = if (scaled.isFinite()) node.now + jittered(scaled.inWholeNanoseconds) else NEVER
        val partner = node.some(1).firstOrNull() ?: return
        val level = levelFor(node.table.active)
        val request = node.writeStream(StreamKind.Digest, partner.id) { writer ->
            writer.byte(level)
            bucketHashes(level).forEach(writer::long)
        }
        node.streams.sync(partner.id, request)
    }

    /** The answer to a digest. */
    fun compare(from: I, reader: PacketReader): ByteArray? {
        val level = reader.byte()
        if (level > MAX_LEVEL) reader.fail("2^$level buckets")
        if (reader.remaining < Long.SIZE_BYTES shl level) reader.fail("too few hashes for 2^$level buckets")
        if (reader.failed) return null
        val ours = bucketHashes(level)
        val different = ours.indices.filter { reader.long() != ours[it] }
        return writeDifference(from, different, updatesIn(level, different), level)
    }

    fun writeDifference(to: I, buckets: List<Int>, updates: List<MemberUpdate<I>>, level: Int = 0): ByteArray? =
        node.writeStream(StreamKind.Difference, to) { writer ->
            writer.byte(level)
            writer.varint(buckets.size.toLong())
            buckets.forEach { writer.short(it) }
            node.writeUpdates(updates, writer)
        }

    /** The other side's buckets that differ: learn them, then say ours. */
    fun differs(from: I, reader: PacketReader) {
        val level = reader.byte()
        val count = reader.varint(Short.SIZE_BITS).toInt()
        if (level > MAX_LEVEL || count > 1 shl level) reader.fail("$count of 2^$level buckets")
        val buckets = List(if (reader.failed) 0 else count) { reader.short() }
        val updates = node.readUpdates(reader) ?: return
        val ours = updatesIn(level, buckets)
        learn(updates, from)
        if (ours.isEmpty()) return
        node.streams.sync(from, node.writeStream(StreamKind.Records, from) { node.writeUpdates(ours, it) })
    }

    /** The last step: what the asker knows in the buckets that differ. */
    fun records(from: I, reader: PacketReader): ByteArray? {
        learn(node.readUpdates(reader) ?: return null, from)
        return node.writeStream(StreamKind.Done, from)
    }

    private fun learn(updates: List<MemberUpdate<I>>, from: I) {
        val useful = updates.filter {
            it.state != MemberState.Down || node.table.find(it.id.address()) != null ||
                isSelf(it)
        }
        node.membership.learnAll(useful, disseminate = true, via = from)
    }

    private fun isSelf(update: MemberUpdate<I>) = update.id.address() == node.identity.address()

    /** One hash per bucket: the sum of its members' hashes, ours among them. */
    private fun bucketHashes(level: Int): LongArray {
        val sums = LongArray(1 shl level)
        for (record in node.table.records) {
            if (record.active) sums.count(digest(record), record.incarnation, record.metadataVersion)
        }
        sums.count(digestOf(node.bytesOf(node.identity)), node.incarnation, node.metadata.version)
        return sums
    }

    private fun LongArray.count(digest: Long, incarnation: Long, version: Long) {
        this[(digest and (size - 1L)).toInt()] += mix(digest + incarnation * ODD + version)
    }

    /** Everything known in [buckets], the dead too: the other side may believe them alive. */
    private fun updatesIn(level: Int, buckets: List<Int>): List<MemberUpdate<I>> {
        if (buckets.isEmpty()) return emptyList()
        val chosen = buckets.toSet()
        val mask = (1L shl level) - 1
        return node.table.records.filter { (digest(it) and mask).toInt() in chosen }.map { it.update() }
    }

    private fun digest(record: Record<I>): Long {
        if (record.digest == 0L) record.digest = digestOf(node.bytesOf(record.id))
        return record.digest
    }

    /** About eight members per bucket. */
    private fun levelFor(members: Int): Int {
        var level = 0
        while (level < MAX_LEVEL && members > PER_BUCKET shl level) level++
        return level
    }

    private fun jittered(nanos: Long): Long = nanos - node.random.nextLong(nanos / 5 + 1)

    private companion object {
        const val MAX_LEVEL = 12
        const val PER_BUCKET = 8

        /** In probe periods. */
        const val SOON = 5
        const val ODD = -0x61c8864680b583ebL
    }
}

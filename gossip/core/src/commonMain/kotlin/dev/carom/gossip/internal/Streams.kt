package dev.carom.gossip.internal

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Identity
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.Rejection
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.SwimStatus

/** Questions over streams, one answer each: probes that packets failed, syncs, metadata. */
internal class Streams<I : Identity<I>>(private val node: Node<I>) {
    /** What an open stream is for. */
    private sealed interface Purpose<I> {
        class Probe<I>(val id: I, val number: Int) : Purpose<I>

        class Sync<I> : Purpose<I>

        class Pull<I>(val records: List<Record<I>>) : Purpose<I>
    }

    private class Open<I>(val to: I, val purpose: Purpose<I>, val until: Long)

    private val open = LinkedHashMap<Long, Open<I>>()
    private var number = 0L

    /** When the oldest stream has had its time, and the shell has not said so. */
    val next: Long get() = open.values.firstOrNull()?.until ?: NEVER

    fun ping(to: I, number: Int): Unit = ask(to, Purpose.Probe(to, number), node.writeStream(StreamKind.Ping, to))

    fun pull(from: I, records: List<Record<I>>) {
        val request = node.writeStream(StreamKind.Pull, from) { writer ->
            writer.varint(records.size.toLong())
            records.forEach { node.codec.writeIdentity(it.id, writer) }
        }
        ask(from, Purpose.Pull(records), request)
    }

    /** A digest, or the records that one asked for. */
    fun sync(to: I, request: ByteArray?): Unit = ask(to, Purpose.Sync(), request)

    fun requested(stream: Long, request: ByteArray) {
        val answer = answer(request)
        node.add(SwimEffect.AnswerStream(stream, answer))
    }

    fun answered(stream: Long, answer: ByteArray) {
        val asked = open.remove(stream) ?: return
        val reader = PacketReader(answer)
        val head = read(answer, reader)
        // Whoever answers at this address now, it is not the one we asked.
        if (head == null || head.source != asked.to || head.destination != node.identity) return failed(asked)
        val alive = node.membership.vouch(head.source, head.incarnation, head.metadataVersion)
        when (val purpose = asked.purpose) {
            is Purpose.Probe ->
                if (head.kind == StreamKind.Pong && alive) node.prober.reachedByStream(purpose.id, purpose.number)

            is Purpose.Sync -> if (head.kind == StreamKind.Difference) node.sync.differs(head.source, reader)

            is Purpose.Pull -> {
                if (head.kind == StreamKind.Metadata) readMetadata(reader)
                failed(asked)
            }
        }
        if (reader.failed) reject(answer, Rejection.Undecodable, reader.failure)
        node.membership.settle()
    }

    fun failed(stream: Long) {
        open.remove(stream)?.let(::failed)
    }

    fun tick() {
        while (next <= node.now) failed(open.keys.first())
    }

    private fun failed(asked: Open<I>) {
        // Asked again when somebody next says that it is there.
        (asked.purpose as? Purpose.Pull)?.records?.forEach { it.pulling = 0 }
    }

    private fun ask(to: I, purpose: Purpose<I>, request: ByteArray?) {
        if (!node.codec.extended) return
        val timeout = node.policy.streamTimeout.inWholeNanoseconds
        val entry = Open(to, purpose, node.now + timeout)
        if (request == null || open.size >= MOST) return failed(entry)
        number++
        open[number] = entry
        node.counters.streamsOpened++
        node.add(SwimEffect.OpenStream(number, to, request, timeout))
    }

    private fun answer(request: ByteArray): ByteArray? {
        if (node.status == SwimStatus.Defunct || !node.codec.extended) return null
        val reader = PacketReader(request)
        val head = read(request, reader) ?: return null
        if (head.source.address() == node.identity.address()) {
            reject(request, Rejection.FromOurselves, "from ${head.source}")
            return null
        }
        if (!node.admits(head.source)) return null
        val rightful = head.destination == node.identity
        if (!rightful && (head.kind != StreamKind.Digest || head.destination.address() != node.identity.address())) {
            return null
        }
        val answer = if (node.membership.vouch(head.source, head.incarnation, head.metadataVersion)) {
            respond(head, reader)
        } else {
            believedDead(head.source)
        }
        node.membership.settle()
        if (!reader.failed) return answer
        reject(request, Rejection.Undecodable, reader.failure)
        return null
    }

    private fun respond(head: StreamHead<I>, reader: PacketReader): ByteArray? = when (head.kind) {
        StreamKind.Ping -> node.writeStream(StreamKind.Pong, head.source)
        StreamKind.Digest -> node.sync.compare(head.source, reader)
        StreamKind.Records -> node.sync.records(head.source, reader)
        StreamKind.Pull -> node.answerPull(head.source, reader)
        StreamKind.Pong, StreamKind.Difference, StreamKind.Done, StreamKind.Metadata -> null
    }

    /** The one thing the dead want to hear. */
    private fun believedDead(source: I): ByteArray? {
        val record = node.table.find(source.address()) ?: return null
        return node.sync.writeDifference(source, emptyList(), listOf(record.update()))
    }

    private fun Node<I>.answerPull(to: I, reader: PacketReader): ByteArray? {
        val count = reader.varint(Int.SIZE_BITS)
        if (count > reader.remaining) reader.fail("$count identities in ${reader.remaining} bytes")
        val held = ArrayList<MemberUpdate<I>>()
        for (i in 0 until count) {
            val id = readId(reader) ?: return null
            if (held.size < PULLED) held += MemberUpdate(id, 0, MemberState.Alive)
        }
        return writeStream(StreamKind.Metadata, to) { writer -> held.forEach { writeMetadata(it.id, writer) } }
    }

    private fun Node<I>.writeMetadata(id: I, writer: PacketWriter) {
        val own = id == identity
        val record = if (own) null else table.find(id.address())?.takeIf { it.id == id }
        val version = if (own) metadata.version else record?.metadataVersion ?: 0
        val bytes = if (own) metadata.own else record?.metadata ?: NO_BYTES
        if (version == 0L) return
        val at = writer.position
        codec.writeIdentity(id, writer)
        writer.varint(version)
        writer.varint(bytes.size.toLong())
        writer.bytes(bytes)
        if (writer.overflowed) writer.rewind(at)
    }

    private fun readMetadata(reader: PacketReader) {
        while (reader.remaining > 0) {
            val id = node.readId(reader) ?: return
            val version = reader.varint(Long.SIZE_BITS - 1)
            val size = reader.varint(Int.SIZE_BITS)
            if (size > SwimPolicy.MAX_METADATA) reader.fail("metadata of $size bytes")
            val bytes = reader.bytes(size.toInt())
            if (reader.failed) return
            node.metadata.received(id, version, bytes)
        }
    }

    private fun read(bytes: ByteArray, reader: PacketReader): StreamHead<I>? {
        if (bytes.size > SwimPolicy.MAX_STREAM) {
            reject(bytes, Rejection.TooBig, "${bytes.size} bytes, at most ${SwimPolicy.MAX_STREAM} allowed")
            return null
        }
        val head = node.readStreamHead(reader)
        if (head == null) reject(bytes, Rejection.Undecodable, reader.failure)
        return head
    }

    private fun reject(bytes: ByteArray, reason: Rejection, detail: String?) {
        node.counters.reject(reason)
        node.tell(GossipNotice.PacketRejected(reason, bytes.size, detail ?: "the codec says so"))
    }

    private companion object {
        /** Streams open at once. */
        const val MOST = 64

        /** Metadata in one answer. */
        const val PULLED = 64
    }
}

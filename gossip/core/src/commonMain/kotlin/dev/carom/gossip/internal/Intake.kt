package dev.carom.gossip.internal

import dev.carom.gossip.BroadcastVerdict
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Header
import dev.carom.gossip.Identity
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.PacketKind
import dev.carom.gossip.PacketReader
import dev.carom.gossip.Rejection
import dev.carom.gossip.SwimStatus

/**
 * Takes packets in. All of a packet is read before any of it counts; what is wrong with it is a notice and a
 * counter.
 */
internal class Intake<I : Identity<I>>(private val node: Node<I>, private val items: BroadcastItems<I>) {
    private val feeds = Budget()

    fun take(bytes: ByteArray) {
        node.counters.packetsReceived++
        node.counters.bytesReceived += bytes.size
        if (bytes.size > node.policy.maxPacketSize) {
            val detail = "${bytes.size} bytes, at most ${node.policy.maxPacketSize} allowed"
            return reject(bytes, Rejection.TooBig, detail)
        }
        val reader = PacketReader(bytes)
        val header = guarded({ reader.fail(it) }) { node.codec.readHeader(reader) }
        if (header == null || reader.failed) return reject(bytes, Rejection.Undecodable, reader.failure)
        val own = node.identity.address()
        if (header.source.address() == own) {
            return reject(bytes, Rejection.FromOurselves, "from ${header.source}")
        }
        if (!node.admits(header.source)) return
        fault(header, reader.remaining)?.let { return reject(bytes, Rejection.Malformed, it) }
        val announces = header.kind == PacketKind.Announce
        if (header.destination != node.identity && !(announces && header.destination.address() == own)) {
            node.counters.packetsMisdirected++
            return
        }
        val updates = if (announces || reader.remaining == 0) emptyList() else readUpdates(header, reader)
        if (updates == null) return reject(bytes, Rejection.Undecodable, reader.failure)
        accept(header, updates, reader, bytes)
    }

    private fun accept(header: Header<I>, updates: List<MemberUpdate<I>>, reader: PacketReader, bytes: ByteArray) {
        val source = header.source
        if (!node.membership.vouch(source, header.sourceIncarnation, header.sourceMetadataVersion)) {
            return answerTheDead(header)
        }
        node.membership.learnAll(updates, disseminate = true, via = source)
        if (header.kind != PacketKind.Announce) {
            items.take(reader, source)?.let { (reason, detail) -> reject(bytes, reason, detail) }
        }
        if (node.status == SwimStatus.Connected) react(header, bytes)
    }

    /** From somebody we believe dead: a renewed identity is the only way back. */
    private fun answerTheDead(header: Header<I>) {
        val asked = header.kind == PacketKind.TurnUndead
        val renewed = asked && node.self.believedDead("${header.source} says so")
        node.membership.settle()
        // TurnUndead is answered only by who is somebody else now: two dead nodes would answer each other for ever.
        if (!node.policy.notifyDown || (asked && !renewed)) return
        val record = node.table.find(header.source.address()) ?: return
        if (node.now < record.tellAgainAt) {
            node.counters.answersLimited++
            return
        }
        record.tellAgainAt = after(node.now, node.policy.probePeriod)
        node.mail.send(header.source, PacketKind.TurnUndead)
        // It cannot know which later identity of its address it has to outlive.
        if (record.id != header.source) node.mail.tellOne(header.source, record.update())
    }

    private fun react(header: Header<I>, bytes: ByteArray) {
        val source = header.source
        if (header.about == node.identity) {
            return reject(bytes, Rejection.IndirectForOurselves, "${header.kind} about ourselves from $source")
        }
        when (header.kind) {
            PacketKind.Ping -> node.mail.answer(source, PacketKind.Ack, null, header.number, bytes.size)

            PacketKind.Ack -> node.prober.acked(source, header.number)

            PacketKind.PingReq -> node.relays.pingReq(header)

            PacketKind.IndirectPing ->
                node.mail.answer(source, PacketKind.IndirectAck, header.about, header.number, bytes.size)

            PacketKind.IndirectAck -> node.relays.indirectAck(header)

            PacketKind.ForwardedAck -> node.prober.forwarded(source, header.about!!, header.number)

            PacketKind.Nack -> node.prober.nacked(source, header.number)

            PacketKind.Announce -> feed(source, bytes.size)

            PacketKind.TurnUndead -> node.self.believedDead("$source says so")

            PacketKind.Feed, PacketKind.Gossip, PacketKind.Broadcast -> Unit
        }
    }

    private fun feed(to: I, asked: Int) {
        if (!feeds.take(node.policy.feedsPerSecond, node.now)) {
            node.counters.answersLimited++
            return
        }
        // foca's announces are short, whoever sends them: there only the rate is limited.
        node.mail.feed(to, if (node.codec.extended) asked * Mail.AMPLIFICATION else Int.MAX_VALUE)
    }

    /** What is wrong with the length of what follows a header. */
    private fun fault(header: Header<I>, rest: Int): String? = when {
        header.kind == PacketKind.Announce ->
            if (rest > 0 && !node.codec.extended) "$rest bytes after an announce" else null

        rest == 1 -> "one byte after the header"

        else -> null
    }

    private fun readUpdates(header: Header<I>, reader: PacketReader): List<MemberUpdate<I>>? {
        if (header.kind == PacketKind.Broadcast) return emptyList()
        val count = reader.short()
        // Nothing can be written in no bytes: a count beyond that is a lie.
        if (count > reader.remaining) reader.fail("$count updates in ${reader.remaining} bytes")
        if (reader.failed) return null
        val updates = ArrayList<MemberUpdate<I>>(count)
        repeat(count) {
            val update = guarded({ reader.fail(it) }) { node.codec.readUpdate(reader) }
            if (update == null || reader.failed) return null
            updates += update
        }
        return updates
    }

    private fun reject(bytes: ByteArray, reason: Rejection, detail: String?) {
        node.counters.reject(reason)
        node.tell(GossipNotice.PacketRejected(reason, bytes.size, detail ?: "the codec says so"))
    }
}

/** The application's broadcasts: in from a packet's tail or a caller, into the queue if they are news. */
internal class BroadcastItems<I : Identity<I>>(private val node: Node<I>) {
    /** All items of a tail; null, or what is wrong with the first bad one. Those before it count. */
    fun take(reader: PacketReader, from: I): Pair<Rejection, String>? {
        while (reader.remaining > 0) {
            if (reader.remaining <= Mail.LENGTH) return Rejection.Malformed to "${reader.remaining} bytes left over"
            val length = reader.short()
            if (length == 0 || length > reader.remaining) {
                return Rejection.Malformed to "a broadcast of $length bytes, ${reader.remaining} left"
            }
            offer(reader.bytes(length), from).let { verdict ->
                verdict.rejection?.let { return Rejection.BroadcastRejected to it }
            }
        }
        return null
    }

    fun offer(item: ByteArray, from: I?): BroadcastVerdict {
        val handler = node.handler ?: return BroadcastVerdict.rejected("broadcasts are disabled")
        var problem = ""
        val verdict = guarded({ problem = it }) { handler.receive(item, from) }
            ?: return BroadcastVerdict.rejected(problem)
        val key = verdict.key ?: return verdict
        node.broadcasts.dropIf { guarded { key.invalidates(it) } ?: false }
        // What fits no packet would stay for ever.
        if (item.size > node.mail.broadcastRoom()) return verdict
        if (node.broadcasts.size >= node.policy.maxBroadcasts) {
            node.broadcasts.dropMostSent()
            node.counters.broadcastsDropped++
        }
        node.broadcasts.put(key, item, node.transmissions.count, node.now)
        return verdict
    }
}

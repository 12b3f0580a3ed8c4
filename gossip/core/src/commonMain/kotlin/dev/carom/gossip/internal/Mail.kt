package dev.carom.gossip.internal

import dev.carom.gossip.BroadcastHandler
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Header
import dev.carom.gossip.Identity
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.PacketKind
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.SwimEffect

/** Writes packets: header, count and news, broadcasts. None is longer than the policy allows. */
internal class Mail<I : Identity<I>>(private val node: Node<I>) {
    private val writer = PacketWriter(node.policy.maxPacketSize)

    fun send(to: I, kind: PacketKind, about: I? = null, number: Int = 0, most: Int = node.policy.maxPacketSize) {
        if (!begin(to, kind, about, number, most)) return
        if (kind.carriesUpdates && writer.remaining > COUNT) {
            counted { news(to) }
        }
        if (kind == PacketKind.Announce && node.codec.extended) pad()
        broadcasts(to, kind)
        finish(to)
    }

    /**
     * Answers a probe of [asked] bytes. Whoever never answered a probe of ours may not be where it says it is: it gets
     * [AMPLIFICATION] times as much at most.
     */
    fun answer(to: I, kind: PacketKind, about: I?, number: Int, asked: Int) {
        val proven = !node.codec.extended || (node.table.find(to.address())?.rttNanos ?: -1) >= 0
        val most = node.policy.maxPacketSize
        send(to, kind, about, number, if (proven) most else minOf(most, asked * AMPLIFICATION))
    }

    /** Some of the active members, in a packet of at most [most] bytes. */
    fun feed(to: I, most: Int) {
        if (!begin(to, PacketKind.Feed, null, 0, minOf(most, node.policy.maxPacketSize))) return
        val head = writer.position
        if (writer.remaining > COUNT) {
            counted {
                val candidates = maxOf(writer.remaining / ((head + COUNT) / 2), FEWEST)
                writeMembers(node.table.choose(candidates) { it.active && it.id != to })
            }
        }
        broadcasts(to, PacketKind.Feed)
        finish(to)
    }

    fun announce(to: I): Unit = send(to, PacketKind.Announce)

    /** News to a few random members. */
    fun gossip(): Unit = node.some(node.policy.relays).forEach { send(it.id, PacketKind.Gossip) }

    /** One piece of news alone, whatever the queue holds. */
    fun tellOne(to: I, update: MemberUpdate<I>) {
        if (!begin(to, PacketKind.Gossip, null, 0) || writer.remaining <= COUNT) return
        counted { if (writeOrRewind(update)) 1 else 0 }
        finish(to)
    }

    /** Broadcasts to a few random members, until none is left. */
    fun broadcast() {
        val handler = node.handler ?: return
        if (node.broadcasts.size == 0) return
        val chosen = node.table.choose(node.policy.relays) { it.active && mayCarry(handler, it.id) }
        for (record in chosen) {
            if (node.broadcasts.size == 0) return
            send(record.id, PacketKind.Broadcast)
        }
    }

    /** [update] as it is queued; null: it can never be sent. */
    fun encode(update: MemberUpdate<I>): ByteArray? {
        val one = PacketWriter(node.policy.maxPacketSize)
        guarded { node.codec.writeUpdate(update, one) } ?: return null
        return if (one.overflowed || one.position + COUNT > room()) null else one.toByteArray()
    }

    /** Bytes a broadcast may have to fit even in the fullest of packets that carry one. */
    fun broadcastRoom(): Int = room() - COUNT - LENGTH

    /** What the header of a packet to the member with the longest identity leaves. */
    private fun room(): Int {
        val own = node.identity
        writer.restart(node.policy.maxPacketSize)
        guarded { node.codec.writeHeader(Header(own, node.incarnation, own, PacketKind.Gossip), writer) }
        return writer.remaining - maxOf(0, node.membership.longestIdentity - node.bytesOf(own).size)
    }

    private fun begin(to: I, kind: PacketKind, about: I?, number: Int, most: Int = node.policy.maxPacketSize): Boolean {
        writer.restart(most)
        val version = node.metadata.version
        val header = Header(node.identity, node.incarnation, to, kind, about, number, version)
        var problem: String? = null
        guarded({ problem = it }) { node.codec.writeHeader(header, writer) }
        if (writer.overflowed) problem = "the header does not fit in $most bytes"
        problem?.let { node.tell(GossipNotice.PacketNotSent(to, it)) }
        return problem == null
    }

    private inline fun counted(write: () -> Int) {
        val at = writer.position
        writer.short(0)
        writer.patchShort(at, write())
    }

    private fun news(to: I): Int {
        val buddy = node.table.find(to.address())?.takeIf {
            node.policy.lifeguard?.buddy == true && it.state == MemberState.Suspect && it.id == to
        }
        if (buddy == null || !writeOrRewind(buddy.update())) return node.updates.fill(writer, MOST)
        node.updates.spend(buddy.address)
        return 1 + node.updates.fill(writer, MOST - 1, except = buddy.address)
    }

    private fun writeMembers(members: List<Record<I>>): Int {
        var written = 0
        for (record in members.asReversed()) {
            if (!writeOrRewind(record.update())) break
            written++
        }
        return written
    }

    private fun writeOrRewind(update: MemberUpdate<I>): Boolean {
        val at = writer.position
        val done = guarded {
            node.codec.writeUpdate(update, writer)
            !writer.overflowed
        } ?: false
        if (!done) writer.rewind(at)
        return done
    }

    /**
     * An answer may be [AMPLIFICATION] times as long as the question: a forged question must not be worth its
     * bytes.
     */
    private fun pad() {
        val wanted = (node.policy.maxPacketSize + AMPLIFICATION - 1) / AMPLIFICATION
        if (writer.position < wanted) writer.zeros(wanted - writer.position)
    }

    private fun broadcasts(to: I, kind: PacketKind) {
        val handler = node.handler ?: return
        if (!kind.carriesBroadcasts || node.broadcasts.size == 0 || writer.remaining < 1) return
        val oldest = node.now - node.policy.broadcastLifetime.inWholeNanoseconds
        node.counters.broadcastsDropped += node.broadcasts.dropOlderThan(oldest)
        if (mayCarry(handler, to)) node.broadcasts.fill(writer, MOST, prefixed = true)
    }

    private fun mayCarry(handler: BroadcastHandler<I>, to: I): Boolean =
        guarded { handler.shouldSend(to) } ?: false

    private fun finish(to: I) {
        val packet = writer.toByteArray()
        node.counters.packetsSent++
        node.counters.bytesSent += packet.size
        node.add(SwimEffect.Send(to, packet))
    }

    companion object {
        const val COUNT = 2
        const val LENGTH = 2
        const val AMPLIFICATION = 3
        private const val MOST = 65_535
        private const val FEWEST = 5
    }
}

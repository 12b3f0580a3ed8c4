package dev.carom.gossip.internal

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Identity
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.SwimStatus

/** Takes in news about members, and does what follows from it. */
internal class Membership<I : Identity<I>>(private val node: Node<I>) {
    /** Bytes of the longest identity seen. */
    var longestIdentity = 0
        private set

    /** All of [updates], in order; with [disseminate] what is new is passed on. */
    fun learnAll(updates: List<MemberUpdate<I>>, disseminate: Boolean, via: I? = null) {
        for (update in updates) learn(update, disseminate, via)
        settle()
    }

    /** One piece of news; true if it is about a member that is active now, under this very identity. */
    fun learn(update: MemberUpdate<I>, disseminate: Boolean, via: I?): Boolean {
        if (update.id == node.identity) {
            node.self.hear(update)
            return false
        }
        if (update.id.address() == node.identity.address()) {
            node.self.hearOfNamesake(update, disseminate)
            return false
        }
        if (!node.admits(update.id)) return false
        val applied = node.table.apply(update, node.policy.maxMembers)
        follow(applied, update, disseminate, via)
        val record = applied.record ?: return false
        if (record.id != update.id) return false
        if (via != null) node.metadata.heard(record, update.metadataVersion, via)
        return record.active
    }

    /** A sender's own life, said by the packet itself: mostly nothing new. */
    fun vouch(id: I, incarnation: Long, metadataVersion: Long): Boolean {
        val record = node.table.find(id.address())
        if (record != null && record.active && record.incarnation >= incarnation && record.id == id) {
            node.metadata.heard(record, metadataVersion, id)
            return true
        }
        return learn(MemberUpdate(id, incarnation, MemberState.Alive, null, metadataVersion), true, id)
    }

    /** Everything that follows from one piece of news. */
    fun follow(applied: Applied<I>, update: MemberUpdate<I>, disseminate: Boolean, via: I?) {
        if (applied.outcome == Outcome.Full) node.counters.membersRefused++
        val record = applied.record ?: return
        if (applied.applied) {
            measure(applied)
            node.suspicions.settle(record)
            if (record.active) node.tombstones.remove(record) else node.tombstones.add(record)
            if (disseminate) queue(record)
            report(applied, record, via)
            if (record.state == MemberState.Suspect) node.suspicions.raise(record, own = false)
        } else if (confirms(record, update) && node.suspicions.confirm(record, update.accuser!!) && disseminate) {
            queue(record, update.accuser)
        }
    }

    /** Passes on what we know of [record]. */
    fun queue(record: Record<I>, accuser: I? = record.accuser) {
        val update = MemberUpdate(record.id, record.incarnation, record.state, accuser, record.metadataVersion)
        queue(record.address, update)
    }

    fun queue(address: Any, update: MemberUpdate<I>) {
        val bytes = node.mail.encode(update) ?: return
        node.updates.put(address, bytes, node.transmissions.count)
    }

    /** As if we had never heard of it. */
    fun forget(record: Record<I>) {
        node.table.remove(record.address)
        node.tombstones.remove(record)
        node.suspicions.drop(record)
    }

    /** Becomes connected or alone, as the number of active members says. */
    fun settle() {
        node.transmissions.follow()
        when (node.status) {
            SwimStatus.Alone -> if (node.table.active > 0) connect()
            SwimStatus.Connected -> if (node.table.active == 0) disconnect()
            SwimStatus.Defunct -> Unit
        }
    }

    private fun connect() {
        node.status = SwimStatus.Connected
        node.prober.start()
        node.rounds.start()
        node.sync.start()
        node.suspicions.restart()
        node.tell(GossipNotice.Active())
    }

    private fun disconnect() {
        node.status = SwimStatus.Alone
        node.prober.stop()
        node.rounds.stop()
        node.sync.stop()
        node.seeds.hurry()
        node.tell(GossipNotice.Idle())
    }

    private fun confirms(record: Record<I>, update: MemberUpdate<I>): Boolean =
        update.state == MemberState.Suspect && record.state == MemberState.Suspect && update.accuser != null &&
            record.id == update.id && record.incarnation == update.incarnation

    private fun measure(applied: Applied<I>) {
        if (applied.outcome != Outcome.Inserted && applied.replaced == null) return
        longestIdentity = maxOf(longestIdentity, node.bytesOf(applied.record!!.id).size)
    }

    private fun report(applied: Applied<I>, record: Record<I>, via: I?) {
        applied.replaced?.let { node.tell(GossipNotice.MemberRenamed(it, record.id)) }
        when {
            applied.turned && record.active -> {
                node.tell(GossipNotice.MemberUp(record.id))
                node.sync.hasten()
            }

            applied.turned -> {
                val left = record.accuser == record.id || via == record.id
                node.tell(GossipNotice.MemberDown(record.id, left, reason(record, via)))
            }

            applied.before == MemberState.Suspect && record.state == MemberState.Alive ->
                node.tell(GossipNotice.MemberCleared(record.id, record.incarnation))
        }
        // A member can be heard of as a suspect before anything else.
        if (record.state == MemberState.Suspect && applied.before != MemberState.Suspect) {
            node.tell(GossipNotice.MemberSuspected(record.id, reason(record, via)))
        }
    }

    private fun reason(record: Record<I>, via: I?): String = when (val accuser = record.accuser) {
        null -> if (via == null) "learned" else "heard from $via"
        record.id -> "said so itself"
        node.identity -> if (record.active) "our probe failed" else "its suspicion was not refuted"
        else -> "accused by $accuser"
    }
}

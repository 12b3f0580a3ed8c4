package dev.carom.gossip.internal

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Identity
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.Refusal
import dev.carom.gossip.SwimStatus

/** What this node does about news of itself: refutes suspicion, comes back from the dead, leaves. */
internal class SelfDefence<I : Identity<I>>(private val node: Node<I>) {
    /** We left on purpose: news of our death is no news. */
    private var left = false
    private var mayRenewAt = Long.MIN_VALUE

    /** The greatest generation heard of at our address. */
    private var greatest = node.identity.generation()

    /** News about this very identity. */
    fun hear(update: MemberUpdate<I>) {
        node.metadata.heardOfOwn(update.metadataVersion)
        when (update.state) {
            MemberState.Alive -> Unit
            MemberState.Suspect -> suspected(update.incarnation)
            MemberState.Down -> believedDead("declared dead" + (update.accuser?.let { " by $it" } ?: ""))
        }
    }

    /**
     * News about another identity at our address: an earlier life, or a later one (a clock went back, or somebody took
     * the address). It is never kept as a peer: we would announce to ourselves. The others are told that it is dead.
     */
    fun hearOfNamesake(update: MemberUpdate<I>, disseminate: Boolean) {
        if (update.id.generation() >= node.identity.generation() && !left) {
            greatest = maxOf(greatest, update.id.generation())
            node.tell(GossipNotice.AddressTaken(update.id))
            // Without a later identity nobody would listen to us.
            renew("a later identity at our address: ${update.id}")
        }
        if (!disseminate || update.state == MemberState.Down) return
        val dead = MemberUpdate(update.id, 0, MemberState.Down, node.identity)
        val address = update.id.address()
        val bytes = node.mail.encode(dead) ?: return
        if (node.updates.bytesOf(address)?.contentEquals(bytes) != true) {
            node.updates.put(address, bytes, node.transmissions.count)
        }
    }

    /** The cluster believes that we are dead. True if we come back under another identity. */
    fun believedDead(reason: String): Boolean {
        if (left) return false
        // Told twice in a moment: whoever forges these must not make us change at the speed of the link.
        if (node.now < mayRenewAt) return false
        if (renew(reason)) return true
        becomeDefunct(reason)
        return false
    }

    fun leave() {
        val address = node.identity.address()
        node.membership.queue(address, MemberUpdate(node.identity, 0, MemberState.Down, node.identity))
        node.mail.gossip()
        left = true
        becomeDefunct("left")
    }

    fun changeIdentity(new: I) {
        if (new == node.identity) {
            return node.refuse(Refusal.Reason.SameIdentity, "the identity is $new already")
        }
        left = false
        adopt(new)
    }

    fun reuse() {
        if (node.status != SwimStatus.Defunct) {
            return node.refuse(Refusal.Reason.NotDefunct, "${node.identity} is ${node.status}")
        }
        left = false
        node.status = SwimStatus.Alone
        node.incarnation = 0
        node.seeds.hurry()
    }

    private fun suspected(incarnation: Long) {
        // A dead node that refutes would be suspected and cleared for ever.
        if (node.status == SwimStatus.Defunct) return
        if (incarnation - node.incarnation > node.policy.maxIncarnationJump) {
            node.counters.incarnationJumps++
            return
        }
        if (incarnation >= node.incarnation) {
            if (incarnation >= node.codec.maxIncarnation) {
                believedDead("suspected with the last incarnation, $incarnation")
                return
            }
            node.incarnation = incarnation + 1
            node.counters.refutations++
            node.policy.lifeguard?.let { node.health.adjust(1, it.maxLocalHealth) }
        }
        // The header of every packet carries the refutation.
        node.mail.gossip()
    }

    private fun renew(reason: String): Boolean {
        val old = node.identity
        if (node.now < mayRenewAt) return false
        greatest = maxOf(greatest, old.generation())
        val new = guarded { old.renewed(greatest) } ?: return false
        if (new == old || new.address() != old.address() || new.generation() <= greatest) return false
        mayRenewAt = after(node.now, node.policy.probePeriod)
        adopt(new)
        node.tell(GossipNotice.Rejoined(new, reason))
        return true
    }

    private fun adopt(new: I) {
        val old = node.identity
        val wasDefunct = node.status == SwimStatus.Defunct
        node.identity = new
        node.incarnation = 0
        greatest = new.generation()
        node.table.find(new.address())?.let(node.membership::forget)
        if (wasDefunct) {
            node.status = SwimStatus.Alone
        } else {
            node.membership.queue(old.address(), MemberUpdate(old, 0, MemberState.Down, new))
            if (node.status == SwimStatus.Connected) node.prober.start()
        }
        node.mail.gossip()
        node.membership.settle()
        node.seeds.hurry()
    }

    private fun becomeDefunct(reason: String) {
        if (node.status == SwimStatus.Defunct) return
        node.status = SwimStatus.Defunct
        node.prober.stop()
        node.rounds.stop()
        node.sync.stop()
        node.tell(GossipNotice.Defunct(reason))
    }
}

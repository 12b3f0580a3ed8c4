package dev.carom.gossip.internal

import dev.carom.gossip.Admission
import dev.carom.gossip.BroadcastHandler
import dev.carom.gossip.BroadcastKey
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Identity
import dev.carom.gossip.MemberCodec
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.Refusal
import dev.carom.gossip.SwimCounters
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.SwimStatus
import kotlin.coroutines.cancellation.CancellationException
import kotlin.random.Random

/**
 * This node: what all parts of the state machine share. Each part decides one thing and calls the others through
 * here.
 */
internal class Node<I : Identity<I>>(
    var identity: I,
    var policy: SwimPolicy,
    val codec: MemberCodec<I>,
    val random: Random,
    val handler: BroadcastHandler<I>?,
    private val admission: Admission<I>?,
) {
    /** The time of the event being handled, in nanoseconds. */
    var now = 0L
    var incarnation = 0L
    var status = SwimStatus.Alone
    private val none = ArrayList<SwimEffect<I>>(0)
    var effects = none
    val counters = SwimCounters()
    val health = LocalHealth()

    val table = MemberTable<I>(random, { it.address() }, ::isLater)
    val updates = DisseminationQueue<Any>()
    val broadcasts = DisseminationQueue<BroadcastKey>()
    val transmissions = Transmissions(this)

    val mail = Mail(this)
    val membership = Membership(this)
    val self = SelfDefence(this)
    val suspicions = Suspicions(this)
    val tombstones = Tombstones(this)
    val prober = Prober(this)
    val relays = Relays(this)
    val rounds = Rounds(this)
    val seeds = Seeds(this)
    val metadata = MetadataBook(this)
    val streams = Streams(this)
    val sync = Sync(this)

    /** Members including this one. */
    val clusterSize: Int get() = table.active + 1

    fun add(effect: SwimEffect<I>) {
        effects += effect
    }

    /** What there is to do; nothing of it is kept here. */
    fun takeEffects(): List<SwimEffect<I>> = effects.also { effects = none }

    fun tell(notice: GossipNotice<I>): Unit = add(SwimEffect.Notify(notice))

    fun refuse(reason: Refusal.Reason, detail: String): Unit = add(SwimEffect.Refuse(Refusal(reason, detail)))

    /** Whether [id] may be a member; counted if not. */
    fun admits(id: I): Boolean {
        if (admission == null || guarded { admission.admits(id) } == true) return true
        counters.notAdmitted++
        return false
    }

    /** The random members that are told of something now. */
    fun some(count: Int): List<Record<I>> = table.choose(count) { it.active }

    fun bytesOf(identity: I): ByteArray {
        val writer = PacketWriter(policy.maxPacketSize)
        guarded { codec.writeIdentity(identity, writer) }
        return writer.toByteArray()
    }

    // A total order by construction: a user's own comparison, if not total, would let two nodes disagree for ever.
    private fun isLater(one: I, other: I): Boolean {
        val difference = one.generation().compareTo(other.generation())
        return if (difference != 0) difference > 0 else compareBytes(bytesOf(one), bytesOf(other)) > 0
    }
}

/** Calls the user's code; null and a description of the failure instead of an exception. */
internal inline fun <R> guarded(failed: (String) -> Unit = {}, block: () -> R): R? = try {
    block()
} catch (cancelled: CancellationException) {
    throw cancelled
} catch (failure: Exception) {
    failed("${failure::class.simpleName}: ${failure.message}")
    null
}

/** How often news is sent: a fixed number, or what the cluster's size asks for, adjusted as it grows and shrinks. */
internal class Transmissions<I : Identity<I>>(private val node: Node<I>) {
    private var last = 0

    /** For what is queued now. */
    val count: Int
        get() {
            follow()
            return last
        }

    /** What is queued already is sent as often as if it had been queued now. */
    fun follow() {
        val fixed = node.policy.maxTransmissions
        val count = if (fixed > 0) fixed else maxTransmissionsFor(node.clusterSize.toLong())
        if (last != 0 && count != last && fixed == 0) {
            node.updates.rescale(count - last)
            node.broadcasts.rescale(count - last)
        }
        last = count
    }
}

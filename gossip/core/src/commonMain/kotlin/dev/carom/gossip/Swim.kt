package dev.carom.gossip

import dev.carom.gossip.internal.BroadcastItems
import dev.carom.gossip.internal.Intake
import dev.carom.gossip.internal.NEVER
import dev.carom.gossip.internal.Node
import dev.carom.gossip.internal.Record
import kotlin.jvm.JvmOverloads
import kotlin.random.Random

/**
 * One member of a cluster, as decisions only: SWIM (Das, Gupta, Motivala, 2002) with Lifeguard. Events in, effects
 * out; no clock, no I/O, no thread. Single-threaded: one call at a time. It never throws because of what the network,
 * a codec, or a handler did.
 *
 * Call [on] with what happened, do what it says in order, and call it again with [SwimEvent.Tick] at
 * [nextDeadlineNanos] at the latest.
 *
 * ```
 *           first active member                 last active member gone
 *   Alone ───────────────────────► Connected ───────────────────────────► Alone
 *     │                                │
 *     └────── declared dead and not renewed, or left ──────► Defunct ── renewed, reused ──► Alone
 * ```
 *
 * @param identity who this node is at first.
 * @param policy its numbers.
 * @param codec how packets are written; all members must use the same.
 * @param random the dice: same seed, same events, same effects.
 * @param handler takes broadcasts of the application; null: packets that carry any are counted as rejected, and the
 *   rest of them is used.
 * @param admission who may be a member; null: everybody.
 */
public class Swim<I : Identity<I>> @JvmOverloads constructor(
    identity: I,
    policy: SwimPolicy,
    codec: MemberCodec<I>,
    random: Random,
    handler: BroadcastHandler<I>? = null,
    admission: Admission<I>? = null,
) {
    private val node = Node(identity, policy, codec, random, handler, admission)
    private val items = BroadcastItems(node)
    private val intake = Intake(node, items)
    private val clockwork = Clockwork(node)

    /** Who this node is now. */
    public val identity: I get() = node.identity

    /** Our own incarnation. */
    public val incarnation: Long get() = node.incarnation

    /** Where this node stands. */
    public val status: SwimStatus get() = node.status

    /** The policy in force. */
    public val policy: SwimPolicy get() = node.policy

    /** Active members, this node not counted. */
    public val memberCount: Int get() = node.table.active

    /** News waiting to be passed on. */
    public val updatesBacklog: Int get() = node.updates.size

    /** Broadcasts waiting to be passed on. */
    public val broadcastsBacklog: Int get() = node.broadcasts.size

    /** Lifeguard's score of this node: 0 is healthy. */
    public val localHealth: Int get() = node.health.score

    /** Version of our own metadata; 0: none was set. */
    public val metadataVersion: Long get() = node.metadata.version

    /** When [SwimEvent.Tick] is due, in the nanoseconds of [on]; [Long.MAX_VALUE]: nothing is pending. */
    public val nextDeadlineNanos: Long get() = clockwork.next

    /** The active members, this node not among them; in no order. */
    public fun members(): List<Member<I>> = node.table.records.filter { it.active }.map { it.view() }

    /** What is known of the node at [address], dead or alive; null: nothing. */
    public fun memberAt(address: Any): Member<I>? = node.table.find(address)?.view()

    /** Everything known, the dead too: to be kept and given to [SwimEvent.UpdatesLearned] later. */
    public fun knowledge(): List<MemberUpdate<I>> = node.table.records.map { it.update() }

    /** What happened so far, counted. */
    public fun counters(): SwimCounters = node.counters.copy()

    /**
     * Takes one event and says what must be done.
     *
     * @param nowNanos nanoseconds since an origin of your choice, 0 or more; it must never go back (a clock that does
     *   is taken to stand still).
     */
    public fun on(event: SwimEvent<I>, nowNanos: Long): List<SwimEffect<I>> {
        node.effects = ArrayList()
        node.now = maxOf(node.now, nowNanos)
        handle(event)
        node.metadata.flush()
        return node.takeEffects()
    }

    private fun handle(event: SwimEvent<I>) {
        when (event) {
            is SwimEvent.PacketReceived -> intake.take(event.bytes)
            is SwimEvent.Tick -> clockwork.tick()
            is SwimEvent.AnnounceRequested -> node.mail.announce(event.to)
            is SwimEvent.GossipRequested -> node.mail.gossip()
            is SwimEvent.BroadcastRequested -> node.mail.broadcast()
            is SwimEvent.BroadcastAdded -> broadcast(event.item)
            is SwimEvent.LeaveRequested -> node.self.leave()
            is SwimEvent.IdentityChangeRequested -> node.self.changeIdentity(event.identity)
            is SwimEvent.ReuseRequested -> node.self.reuse()
            is SwimEvent.UpdatesLearned -> node.membership.learnAll(event.updates, event.disseminate)
            is SwimEvent.PolicyChangeRequested -> change(event.policy)
            is SwimEvent.MetadataChangeRequested -> node.metadata.set(event.metadata)
            is SwimEvent.SeedsResolved -> node.seeds.set(event.seeds)
            is SwimEvent.StreamRequested -> node.streams.requested(event.stream, event.request)
            is SwimEvent.StreamAnswered -> node.streams.answered(event.stream, event.answer)
            is SwimEvent.StreamFailed -> node.streams.failed(event.stream)
        }
    }

    private fun broadcast(item: ByteArray) {
        val room = node.mail.broadcastRoom()
        when {
            item.isEmpty() -> node.refuse(Refusal.Reason.EmptyBroadcast, "a broadcast needs at least 1 byte")

            item.size > room ->
                node.refuse(Refusal.Reason.BroadcastTooBig, "${item.size} bytes, at most $room fit beside a header")

            else -> {
                val verdict = items.offer(item, null)
                verdict.rejection?.let { node.refuse(Refusal.Reason.BroadcastRejected, it) }
                if (verdict.rejection == null && verdict.key == null) {
                    node.refuse(Refusal.Reason.BroadcastKnown, "the handler knows it")
                }
            }
        }
    }

    private fun change(policy: SwimPolicy) {
        val old = node.policy
        val fault = when {
            policy.probePeriod != old.probePeriod -> "probePeriod ${old.probePeriod} -> ${policy.probePeriod}"
            policy.probeTimeout != old.probeTimeout -> "probeTimeout ${old.probeTimeout} -> ${policy.probeTimeout}"
            policy.announce != null && old.announce == null -> "announce switched on"
            policy.announceToDown != null && old.announceToDown == null -> "announceToDown switched on"
            policy.gossip != null && old.gossip == null -> "gossip switched on"
            else -> null
        }
        if (fault != null) return node.refuse(Refusal.Reason.PolicyChange, fault)
        node.policy = policy
        node.transmissions.follow()
    }

    private fun Record<I>.view(): Member<I> = Member(id, state, incarnation, metadataVersion, metadata, rttNanos)
}

/** The one timer: when the next part is due, and what is due now. */
private class Clockwork<I : Identity<I>>(private val node: Node<I>) {
    val next: Long
        get() {
            val suspicion = if (node.status == SwimStatus.Connected) node.suspicions.next else NEVER
            val parts = minOf(minOf(node.prober.relayAt, node.prober.roundAt, suspicion), node.rounds.next)
            val others = minOf(minOf(node.seeds.next, node.sync.next, node.streams.next), node.relays.next)
            return minOf(parts, others, node.tombstones.next)
        }

    fun tick() {
        stalled()
        node.prober.tick()
        node.suspicions.tick()
        node.relays.tick()
        node.rounds.tick()
        node.tombstones.tick()
        node.seeds.tick()
        node.sync.tick()
        node.streams.tick()
        node.membership.settle()
    }

    /** This node slept over a deadline: the answers it waits for may lie unread. Nobody is to blame but itself. */
    private fun stalled() {
        val lifeguard = node.policy.lifeguard ?: return
        val due = minOf(node.prober.relayAt, node.prober.roundAt)
        if (due == NEVER || node.now - due < node.policy.probeTimeout.inWholeNanoseconds) return
        val late = node.now - due
        node.health.adjust(1, lifeguard.maxLocalHealth)
        node.prober.start()
        node.suspicions.postpone(late)
        node.tell(GossipNotice.Stalled(late))
    }
}

@file:JvmName("Gossips")

package dev.carom.gossip

import dev.carom.gossip.internal.GossipShell
import kotlinx.coroutines.CoroutineScope
import kotlin.jvm.JvmName
import kotlin.random.Random
import kotlin.time.TimeSource

/**
 * Starts a member in this scope. Returns at once; whoever is there is found by [Gossip.join]. It is a child of the
 * scope: the scope does not complete while it runs, and cancelling the scope closes it without a word to the others.
 *
 * @param identity who it is; its address must be where [transport] is reached.
 * @param transport how others are reached; closed with the member.
 * @param envelope what seals every packet and stream: in production one with keys. [InsecureEnvelope] must be asked
 *   for. It serves this member alone.
 * @param codec how packets are written: [NativeCodec], unless foca is to understand them.
 * @param policy the numbers.
 * @param handler takes broadcasts of the application; called on this member's coroutine, must not block. Null: none.
 * @param admission who may be a member; called on this member's coroutine, must not block. Null: everybody.
 */
public fun <I : Identity<I>> CoroutineScope.openGossip(
    identity: I,
    transport: Transport<I>,
    envelope: Envelope,
    codec: MemberCodec<I>,
    policy: GossipPolicy = GossipPolicy(),
    handler: BroadcastHandler<I>? = null,
    admission: Admission<I>? = null,
): Gossip<I> =
    openGossip(identity, transport, envelope, codec, policy, handler, admission, TimeSource.Monotonic, Random.Default)

/**
 * [openGossip] with a clock and dice of one's own, for tests in virtual time and for runs that can be repeated.
 *
 * @param timeSource must advance together with `delay` in this scope: in `runTest`, `testScheduler.timeSource`.
 * @param random the dice.
 */
public fun <I : Identity<I>> CoroutineScope.openGossip(
    identity: I,
    transport: Transport<I>,
    envelope: Envelope,
    codec: MemberCodec<I>,
    policy: GossipPolicy,
    handler: BroadcastHandler<I>?,
    admission: Admission<I>?,
    timeSource: TimeSource,
    random: Random,
): Gossip<I> {
    val most = MAX_DATAGRAM - envelope.overhead
    require(policy.swim.maxPacketSize <= most) {
        "maxPacketSize must be at most $most with this envelope, was ${policy.swim.maxPacketSize}"
    }
    val swim = Swim(identity, policy.swim, codec, random, handler, admission)
    return GossipShell(swim, transport, envelope, policy, timeSource.markNow()).also { it.start(this) }
}

private const val MAX_DATAGRAM = 65_507

package dev.carom.gossip.fuzz

import dev.carom.gossip.MemberCodec
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.gossip.Swim
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.SwimPolicy
import kotlin.random.Random

/** A member at 10.0.0.1, first life, that knows 10.0.0.2 to 10.0.0.4. */
internal class Bench(codec: MemberCodec<NodeId>) {
    val swim = Swim(id(1), SwimPolicy(maxMembers = 64, maxBroadcasts = 8), codec, Random(1), null)

    init {
        val known = listOf(MemberState.Alive, MemberState.Suspect, MemberState.Down)
        on(SwimEvent.UpdatesLearned(known.mapIndexed { i, state -> MemberUpdate(id(i + 2), 0, state) }, false))
        on(SwimEvent.MetadataChangeRequested(byteArrayOf(1, 2, 3)))
    }

    fun on(event: SwimEvent<NodeId>): List<SwimEffect<NodeId>> = swim.on(event, 0)

    /** Nothing is kept or sent beyond what the policy allows. */
    fun take(event: SwimEvent<NodeId>) {
        for (effect in on(event)) {
            if (effect is SwimEffect.Send) check(effect.packet.size <= 1_400) { "$effect" }
        }
        check(swim.knowledge().size <= 64 && swim.updatesBacklog <= 66) { "${swim.knowledge().size} members" }
    }

    companion object {
        fun id(host: Int): NodeId = NodeId(NodeAddress(byteArrayOf(10, 0, 0, host.toByte()), 7_946), 1)
    }
}

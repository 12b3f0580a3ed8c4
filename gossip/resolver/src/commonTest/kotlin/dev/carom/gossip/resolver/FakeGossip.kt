package dev.carom.gossip.resolver

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipCounters
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Member
import dev.carom.gossip.MemberState
import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.gossip.SeedSource
import dev.carom.gossip.SwimPolicy
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.emptyFlow

/** A member whose view of the cluster is set by hand. */
class FakeGossip : Gossip<NodeId> {
    private val closed = CompletableDeferred<Unit>()
    val said = ArrayList<List<Offer>>()
    val seeds = ArrayList<List<NodeId>>()

    override val identity: NodeId = id(1)
    override var isOpen: Boolean = true
        private set
    override val members = MutableStateFlow<List<Member<NodeId>>>(emptyList())
    override val notices: Flow<GossipNotice<NodeId>> = emptyFlow()

    fun see(vararg seen: Member<NodeId>) {
        members.value = seen.toList()
    }

    override suspend fun updateMetadata(metadata: ByteArray) {
        said += Offers.decode(metadata)!!
    }

    override suspend fun leave(): Boolean {
        close()
        return true
    }

    override suspend fun close() {
        isOpen = false
        members.value = emptyList()
        closed.complete(Unit)
    }

    override suspend fun awaitClosed(): Unit = closed.await()

    override fun seeds(seeds: List<NodeId>) {
        this.seeds += seeds
    }

    override suspend fun join(seeds: List<NodeId>): Unit = error("not used")

    override fun follow(source: SeedSource<NodeId>): Unit = error("not used")

    override suspend fun broadcast(item: ByteArray): Unit = error("not used")

    override suspend fun changePolicy(policy: SwimPolicy): Unit = error("not used")

    override suspend fun counters(): GossipCounters = error("not used")
}

fun id(last: Int, started: Long = 1) = NodeId(NodeAddress(byteArrayOf(10, 0, 0, last.toByte()), 7946), started)

fun member(id: NodeId, state: MemberState, metadata: ByteArray) = Member(id, state, 0, 1, metadata, -1)

fun member(last: Int, vararg offers: Offer, state: MemberState = MemberState.Alive, started: Long = 1) =
    member(id(last, started), state, Offers.encode(offers.toList()))

package dev.carom.gossip.resolver

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipException
import dev.carom.gossip.Identity
import kotlinx.coroutines.delay
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull

/**
 * What this member offers to the pools of others. It uses the whole of the member's metadata. Not closed: it ends with
 * [gossip]. May be called from several coroutines; the last call's offers hold.
 */
public class Offering<I : Identity<I>>(private val gossip: Gossip<I>) {
    private val turn = Mutex()
    private var offers = emptyList<Offer>()

    /** The member that offers. */
    public val member: Gossip<I> get() = gossip

    /**
     * Offers [offers] from now on, the whole set. Returns when that is queued, not when it has arrived.
     *
     * @throws IllegalArgumentException if they do not fit in a member's metadata ([Offers.encode]).
     * @throws GossipException.Closed if the member is closed.
     */
    public suspend fun offer(offers: List<Offer>): Unit = turn.withLock { tell(offers.toList()) }

    /**
     * Says of every offer that it drains: pools take nothing new from it, and give back what they have. Returns when
     * that is queued. To offer it again, [offer] it.
     *
     * @throws GossipException.Closed if the member is closed.
     */
    public suspend fun drain(): Unit = turn.withLock { tell(offers.map { it.copy(draining = true) }) }

    /**
     * Leaves the cluster without breaking anybody's work: drains, lets the news travel, waits for [idle], and only then
     * leaves, which closes the member. *Cancelled* before that, it goes on draining and has not left.
     *
     * @param policy how long each may take.
     * @param idle returns when nothing is under way any more: the server's last connection was closed.
     * @return whether [idle] returned in time and the others were told as often as they should be.
     * @throws GossipException.Closed if the member is closed.
     */
    public suspend fun leave(policy: DrainPolicy = DrainPolicy(), idle: suspend () -> Unit = {}): Boolean {
        drain()
        delay(policy.notice)
        var quiet = false
        withTimeoutOrNull(policy.grace) {
            idle()
            quiet = true
        }
        return gossip.leave() && quiet
    }

    private suspend fun tell(new: List<Offer>) {
        gossip.updateMetadata(Offers.encode(new))
        offers = new
    }

    override fun toString(): String = "Offering(${gossip.identity})"
}

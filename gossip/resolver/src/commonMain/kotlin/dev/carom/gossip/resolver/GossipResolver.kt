package dev.carom.gossip.resolver

import dev.carom.gossip.Gossip
import dev.carom.gossip.Identity
import dev.carom.gossip.Member
import dev.carom.gossip.MemberState
import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.pool.Backend
import dev.carom.pool.Resolver
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.launch
import kotlin.coroutines.cancellation.CancellationException

/**
 * The live members of a cluster as the backends of a pool: what they offer, filtered by role and zone, with their
 * priorities and weights. The whole set again whenever it changes; nothing before the first member is known.
 *
 * A backend's name is the member's address and its metadata are the offer's tags with `role`, and `zone` if there is one. A
 * member that restarts at its address with the same offers is the same backend. A member that is draining, dead or has
 * left is not listed: the pool takes nothing new from it, and what is lent is finished. This node's own offers are not
 * listed: it is not a member to itself.
 *
 * When the gossip member is closed, the flow completes, and the pool keeps the last backends.
 *
 * @param gossip a running member; not closed by this.
 * @param reader what a member offers.
 * @param policy which offers.
 */
public class GossipResolver<I : Identity<I>>(
    private val gossip: Gossip<I>,
    private val reader: OfferReader<I>,
    private val policy: GossipResolverPolicy,
) : Resolver {
    override fun backends(): Flow<Set<Backend>> = channelFlow {
        val following = launch {
            gossip.members.collectLatest { members ->
                if (members.isEmpty()) delay(policy.keepWhenAlone)
                // A closed member knows nobody; that is no news.
                if (gossip.isOpen) send(list(members))
            }
        }
        gossip.awaitClosed()
        following.cancel()
    }.distinctUntilChanged()

    private fun list(members: List<Member<I>>): Set<Backend> = members.flatMapTo(LinkedHashSet()) { member ->
        offers(member).filter(::passes).mapNotNull { backend(member, it) }
    }

    private fun offers(member: Member<I>): List<Offer> = try {
        reader.offers(member)
    } catch (cancelled: CancellationException) {
        throw cancelled
    } catch (_: RuntimeException) {
        // The reader's word for what it cannot make sense of.
        emptyList()
    }

    private fun passes(offer: Offer): Boolean =
        !offer.draining && (policy.role == null || policy.role == offer.role) &&
            (policy.zone == null || policy.zone == offer.zone)

    private fun backend(member: Member<I>, offer: Offer): Backend? {
        val host = offer.host ?: return null
        val weight = if (member.state == MemberState.Suspect) suspected(offer.weight) else offer.weight
        if (weight < 0) return null
        val metadata = buildMap {
            putAll(offer.tags)
            put("role", offer.role)
            offer.zone?.let { put("zone", it) }
        }
        val name = member.id.address().toString()
        return Backend(name, host, offer.port, offer.priority, weight, name, metadata)
    }

    /** Negative: not listed. */
    private fun suspected(weight: Int): Int = when (policy.suspectWeight) {
        0 -> -1
        else -> (weight * policy.suspectWeight / PER_CENT).coerceAtLeast(minOf(1, weight))
    }

    override fun toString(): String = "GossipResolver(${gossip.identity}, $policy)"

    private companion object {
        const val PER_CENT = 100
    }
}

/** The offers of [role] that members at IP addresses make; null: of any. */
public fun Gossip<NodeId>.resolver(role: String? = null): GossipResolver<NodeId> =
    GossipResolver(this, OfferReader.nodes(), GossipResolverPolicy(role))

/** As a backend has it: IPv6 without brackets. */
internal fun NodeAddress.host(): String = toString().substringBeforeLast(':').removeSurrounding("[", "]")

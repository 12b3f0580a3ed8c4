package dev.carom.gossip.resolver

import dev.carom.gossip.Member
import dev.carom.gossip.NodeId
import kotlin.jvm.JvmStatic

/**
 * What a member offers, as its identity and its metadata say. The one to use is [nodes]; another is for metadata of one's
 * own, or identities that are no addresses.
 */
public fun interface OfferReader<I> {
    /**
     * The offers of [member], each with its [Offer.host]; one without is passed over. Called for each active member
     * whenever any of them changes: it must be quick, and must not block. An exception counts as no offers.
     */
    public fun offers(member: Member<I>): List<Offer>

    public companion object {
        private val NODES = of<NodeId> { it.at.host() }

        /** Reads what [Offers.encode] wrote; an offer without a host is at the address of the [NodeId]. */
        @JvmStatic
        public fun nodes(): OfferReader<NodeId> = NODES

        /** Reads what [Offers.encode] wrote; an offer without a host is at what [hosts] says. */
        @JvmStatic
        public fun <I> of(hosts: HostOf<I>): OfferReader<I> = OfferReader { member ->
            Offers.decode(member.metadata).orEmpty().map {
                if (it.host ==
                    null
                ) {
                    it.copy(host = hosts.host(member.id))
                } else {
                    it
                }
            }
        }
    }
}

/** Where a member is, for dialling. */
public fun interface HostOf<I> {
    /** An IP address literal, or a name. */
    public fun host(id: I): String
}

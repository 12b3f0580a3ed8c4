package dev.carom.gossip

/**
 * Who may be a member at all: a list of address ranges, a rule about names. What a packet or a stream says in the name
 * of somebody who is not admitted is dropped unread, news about such a one is dropped, and nothing is ever sent to it;
 * [SwimCounters.notAdmitted] counts.
 *
 * Called on the thread of [Swim.on] for every packet and every piece of news: it must be quick, must not block, and must
 * say the same about the same identity as long as the member runs. An exception counts as no.
 */
public fun interface Admission<I> {
    /** Whether [id] may be a member. */
    public fun admits(id: I): Boolean
}

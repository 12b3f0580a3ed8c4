package dev.carom.gossip

import kotlinx.coroutines.flow.Flow

/**
 * Says whom to knock at: a name that is looked up again and again, a file, a pool's resolver. For [Gossip.follow].
 *
 * Every emission is the *whole* set. An empty one is an answer like any other, and is believed: guard against it in
 * the source. A flow that fails is collected again after a pause, and the last set stays in force meanwhile; one that
 * completes has said all.
 */
public fun interface SeedSource<I> {
    /**
     * The seeds, now and after every change; only their addresses must be right. Cold: each collection starts anew,
     * and ends with its cancellation.
     */
    public fun seeds(): Flow<List<I>>
}

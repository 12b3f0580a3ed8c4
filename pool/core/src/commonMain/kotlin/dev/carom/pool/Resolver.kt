package dev.carom.pool

import kotlinx.coroutines.flow.Flow

/**
 * Says which backends a service has.
 *
 * Every emission is the *whole* set, never a difference. A resolver knows nothing about health: that is the pool's work.
 *
 * The pool collects the flow for as long as it is open. A flow that fails or completes never empties the pool: the last
 * set stays in force; a failed flow is collected again after a pause of 1 s, doubling up to 30 s
 * ([PoolNotice.ResolverFailed]); a completed one is not ([PoolNotice.ResolverCompleted]).
 * An *empty set* is an answer like any other, and is believed: guard against it in the resolver.
 *
 * Ready-made: [fixedResolver], [asResolver], [merge], [fallback], [filter].
 */
public fun interface Resolver {
    /**
     * The backends, now and after every change. Cold: each collection starts resolving anew and ends with it.
     * Cancelling the collection must release whatever it uses.
     */
    public fun backends(): Flow<Set<Backend>>
}

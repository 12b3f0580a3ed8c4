package dev.carom.storage

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext

/**
 * A session, the right way for a handle: on a pool a loan for this call, on a connection and in a transaction its own one
 * when it is its turn. Operations are written once, against this: see [PoolCore], [ConnCore], [TxnCore].
 *
 * @param S the session.
 */
public interface Sessions<out S : Any> {
    /**
     * Runs one operation. What [block] throws is thrown here, translated where [StorageDriver.classify] knows it.
     *
     * [block] runs in a coroutine of the pool with the caller's context: on the driver's threads if it has some
     * ([StorageDriver.threads]); else at first on the caller's thread, or on one of the pool's if there was none ready. With
     * a pool, the session has been given back when this returns. *Cancelled:* the operation is stopped on the server; returns
     * only when it has ended, or when its session was cut off.
     */
    public suspend fun <R> use(options: OpOptions, block: suspend (S) -> R): R

    /** [use] with the default options. */
    public suspend fun <R> use(block: suspend (S) -> R): R = use(OpOptions.DEFAULT, block)

    /**
     * Keeps the session for a result that outlives one call: rows, a cursor, a subscription. Others who want the same
     * handle wait. Bound to the calling coroutine if [OpOptions.owned]. Whoever calls must [SessionHold.end] it.
     */
    public suspend fun hold(options: OpOptions): SessionHold<S>
}

/** A session kept for several calls. */
public interface SessionHold<out S : Any> {
    /** Whether it has ended, by [end] or by the end of what it belongs to. */
    public val isEnded: Boolean

    /** Runs one call; calls of several coroutines run one after the other. Settled and translated as in [Sessions.use]. */
    public suspend fun <R> call(block: suspend (S) -> R): R

    /** What [end] does first, with the session: closing a cursor. Bounded by [StoragePolicy.cancelGrace]. Replaces another. */
    public fun onEnd(cleanup: suspend (S) -> Unit)

    /** Lets the session go. Calling again waits for the first. Not stopped by cancellation; never throws. */
    public suspend fun end()
}

/** An operation that only reads. */
public suspend fun <S : Any, R> Sessions<S>.read(block: suspend (S) -> R): R = use(OpOptions.READ, block)

/** An operation that changes data: refused in read-only transactions. */
public suspend fun <S : Any, R> Sessions<S>.write(block: suspend (S) -> R): R = use(OpOptions.WRITE, block)

/**
 * Elements made from a session that is kept while they are collected. Cold: each collection takes a session of its own,
 * and gives it back on every exit, before the collector's exception goes on. [block] runs in the collector's coroutine;
 * what waits for the server belongs into [SessionHold.call] of its receiver.
 */
public fun <S : Any, R> Sessions<S>.stream(
    options: OpOptions,
    block: suspend SessionStream<S, R>.(S) -> Unit,
): Flow<R> = flow {
    val hold = hold(options)
    try {
        val session = hold.call { it }
        SessionStream(hold, this).block(session)
    } finally {
        withContext(NonCancellable) { hold.end() }
    }
}

/** [stream] that only reads. */
public fun <S : Any, R> Sessions<S>.stream(block: suspend SessionStream<S, R>.(S) -> Unit): Flow<R> =
    stream(OpOptions.READ, block)

/** What the block of [stream] has: the session, and where its elements go. */
public class SessionStream<out S : Any, in R> internal constructor(hold: SessionHold<S>, collector: FlowCollector<R>) :
    SessionHold<S> by hold,
    FlowCollector<R> by collector

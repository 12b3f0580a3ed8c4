package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Fault
import dev.carom.pool.PoolNotice
import dev.carom.pool.Role

/** What the pool's loop takes in: events for the state, and matters of the shell. */
internal sealed interface LoopInput

/** What happened. An event about a slot that is gone is ignored: the shell may lose a race. */
internal sealed interface PoolEvent : LoopInput {
    /** The resolver listed this, the whole of it. */
    data class BackendsListed(val backends: Set<Backend>) : PoolEvent

    data class Connected(val slot: Long, val probe: Probe? = null) : PoolEvent

    /** The slot's coroutine ended: its connection is closed, or ([cause]) was never opened. Exactly one per [PoolEffect.Connect]. */
    data class Ended(val slot: Long, val cause: Throwable?, val fault: Fault = Fault.Broken) : PoolEvent

    /** The peer closed or ([cause]) broke the connection. */
    data class Lost(val slot: Long, val cause: Throwable?) : PoolEvent

    data class Checked(val slot: Long, val failure: Throwable?, val probe: Probe? = null) : PoolEvent

    data class Recycled(val slot: Long, val failure: Throwable?) : PoolEvent

    /** A loan ended and the connection did not go straight back into circulation. */
    data class Returned(val slot: Long, val outcome: Outcome) : PoolEvent

    /** What a caller said of the backend it uses. */
    data class Reported(val slot: Long, val fault: Fault, val cause: Throwable?) : PoolEvent

    data class DrainRequested(val backend: Backend) : PoolEvent

    data class DrainRevoked(val backend: Backend) : PoolEvent

    /** Replace the connections of this backend, or of all. */
    data class EvictRequested(val backend: Backend?) : PoolEvent

    data class LimitsSet(val spares: Int, val maxSlots: Int) : PoolEvent

    /** Few connections are free, or callers wait. */
    data object RanLow : PoolEvent

    /** A caller waits for so many connections to be open. */
    data class ReadyAwaited(val connections: Int) : PoolEvent

    /** That caller no longer waits. */
    data class ReadyUnawaited(val connections: Int) : PoolEvent

    data object CloseRequested : PoolEvent

    /** Lent connections are closed under their holders from now on. */
    data object GraceEnded : PoolEvent

    /** Time passed; at the latest at [PoolState.nextDeadline]. */
    data object Tick : PoolEvent
}

/** A role as a connection told it, and how often its backend had been demoted when it was asked. */
internal data class Probe(val role: Role, val demotions: Int)

/** How a loan ended. */
internal sealed interface Outcome {
    data object Used : Outcome

    /** The loan never reached its caller. */
    data object Unused : Outcome

    data class Discarded(val cause: Throwable?) : Outcome

    data class NotPrepared(val cause: Throwable) : Outcome
}

/** What must be done, in this order. */
internal sealed interface PoolEffect {
    data class Connect(val slot: Long, val index: Int, val backend: Backend, val meter: Meter) : PoolEffect

    /** End the slot's coroutine: cancel the connect, or close the connection. */
    data class Disconnect(val slot: Long) : PoolEffect

    data class Check(val slot: Long) : PoolEffect

    data class Recycle(val slot: Long) : PoolEffect

    /** Put the connection into circulation: to the first waiter, or among the free. */
    data class Lend(val slot: Long) : PoolEffect

    /** Waiters may accept now what they did not before. */
    data object Reconsider : PoolEffect

    data class Tell(val notice: PoolNotice) : PoolEffect
}

/** What the state may ask of, and do to, connections in circulation. All answers are immediate. */
internal interface Lending {
    /** Callers in the queue. */
    val waiting: Int

    /** Free connections. */
    val free: Int

    fun isFree(index: Int): Boolean

    /** Takes a connection out of circulation: true if it was free; else it comes back as [PoolEvent.Returned]. */
    fun recall(index: Int): Boolean

    /** Undoes a [recall] that found the connection lent. */
    fun keep(index: Int)

    /** Loans of the connection at [index] so far. */
    fun loans(index: Int): Int

    /** When the connection at [index] last came back, in milliseconds. */
    fun idleSince(index: Int): Long

    /** What callers have written into [meter], for decisions. */
    fun readings(meter: Meter): Readings = meter
}

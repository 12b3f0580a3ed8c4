package dev.carom.storage.internal

import dev.carom.storage.StorageException
import dev.carom.storage.StorageLane
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/** What is to be done when somebody wants an end; done once, also if that was wanted before anybody said what. */
@OptIn(ExperimentalAtomicApi::class)
internal class StopCell {
    private val cell = AtomicReference<Any?>(null)

    fun onStop(action: () -> Unit) {
        if (!cell.compareAndSet(null, action)) action()
    }

    fun stop() {
        @Suppress("UNCHECKED_CAST")
        (cell.exchange(STOPPED) as? () -> Unit)?.invoke()
    }

    private companion object {
        val STOPPED = Any()
    }
}

/** A ticket that somebody waits with. */
internal class Turn(kind: TicketKind, callers: Set<Any>, end: TxnEndReason? = null) : Ticket(kind, callers, end) {
    // The failure as a value: thrown by await it could arrive as a copy.
    private val answer = CompletableDeferred<StorageException?>()

    /** Ends the work of this turn from outside. */
    val stopper = StopCell()

    fun start() {
        answer.complete(null)
    }

    fun refuse(why: StorageException) {
        answer.complete(why)
    }

    /** Returns when it is this one's turn. A cancelled wait leaves the place to the caller to withdraw. */
    suspend fun await() {
        val refused = answer.await()
        if (refused != null) throw refused
    }
}

/** Who calls, where that is not the coroutine: a thread that blocks has a new coroutine in each call. */
internal open class Caller(val id: Any) : AbstractCoroutineContextElement(Caller) {
    /** Whether this is its thread, and one that a call may block. */
    open val isHere: Boolean get() = false

    /** Runs [block], on the caller's thread; [interrupted] is called if that is interrupted meanwhile, by whoever does that. */
    open fun guarded(interrupted: (Throwable) -> Unit, block: () -> Unit) = block()

    companion object Key : CoroutineContext.Key<Caller>
}

/** What a coroutine has of one pool: nothing global, only this. */
internal class LaneElement(
    lane: StorageLane,
    val conn: dev.carom.storage.StorageConn<*>?,
    val txn: dev.carom.storage.StorageTxn?,
    /** All transactions around, innermost last, also masked ones. */
    val anchors: List<TxnAnchor>,
    /** Leases of connections around. */
    val connLeases: List<Long>,
) : AbstractCoroutineContextElement(lane) {
    val leases: Set<Long> get() = (connLeases + anchors.mapNotNull { it.leaseId }).toSet()

    override fun toString(): String = "storage(${key as StorageLane}: ${txn ?: conn ?: "none"})"
}

/** What the sessions are to be like that are taken from one pool. */
internal class Wish(lane: StorageLane, val value: Any) : AbstractCoroutineContextElement(lane.wishes)

internal fun CoroutineContext.laneElement(lane: StorageLane): LaneElement? = this[lane] as LaneElement?

/** The coroutine (or thread) of this context, and the places it has already. */
internal fun CoroutineContext.callers(lane: StorageLane): Set<Any> {
    val id = this[Caller]?.id ?: this[Job]
    val held = laneElement(lane)?.anchors?.mapNotNull { it.ticket }.orEmpty()
    return if (id == null) held.toSet() else setOf(id) + held
}

package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.Removal
import dev.carom.pool.SetConnection
import dev.carom.pool.SetLease
import kotlinx.coroutines.CompletableDeferred
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/** One connection of the set. Its [word] is the number of leases, and two flags that forbid new ones. */
@OptIn(ExperimentalAtomicApi::class)
internal class Holding<C : Any>(
    override val id: Long,
    override val backend: Backend,
    override val connection: C,
    /** The share of the others at this moment: a new connection takes its turns, it does not catch up. */
    share: Double,
    private val send: (SetEvent) -> Unit,
) : SetConnection<C> {
    val weight: Double = backend.weight.coerceAtLeast(1).toDouble()

    /** Leases given so far, for its weight. A guide: under contention some are not counted. */
    @Volatile
    var share: Double = share
        private set

    private val word = AtomicInt(0)
    private val removed = CompletableDeferred<Unit>()

    /** Why it left. Set before it does. */
    @Volatile
    var removal: Pair<Removal, Throwable?> = Removal.SetClosed to null
        private set

    override val leases: Int get() = word.load() / LEASE
    override val isRemoved: Boolean get() = removed.isCompleted
    val isLeasable: Boolean get() = word.load() and NO_MORE == 0

    override fun lease(): SetLease<C>? {
        while (true) {
            val seen = word.load()
            if (seen and NO_MORE != 0) return null
            if (word.compareAndSet(seen, seen + LEASE)) {
                share += 1 / weight
                return Held(this)
            }
        }
    }

    fun release() {
        if (change { it - LEASE } == RETIRED) send(SetEvent.Drained(id))
    }

    override fun fail(cause: Throwable?) {
        // At once, so that nobody gets it before the set knows.
        change { it or RETIRED }
        send(SetEvent.Failed(id, cause))
    }

    override suspend fun awaitRemoved() = removed.await()

    /** No leases from now on. */
    fun leave(reason: Removal, cause: Throwable?) {
        removal = reason to cause
        change { it or RETIRED }
        removed.complete(Unit)
    }

    /** After it [left][leave] the set and everybody could see that. */
    fun left() {
        if (leases == 0) send(SetEvent.Drained(id))
    }

    /** True if nobody uses it and nobody will before [endCheck]. */
    fun beginCheck(): Boolean = word.compareAndSet(0, CHECKING)

    fun endCheck() {
        change { it and CHECKING.inv() }
    }

    private inline fun change(next: (Int) -> Int): Int {
        while (true) {
            val seen = word.load()
            val then = next(seen)
            if (word.compareAndSet(seen, then)) return then
        }
    }

    override fun toString(): String = "connection $id to $backend"

    private companion object {
        const val RETIRED = 1
        const val CHECKING = 2
        const val NO_MORE = RETIRED or CHECKING
        const val LEASE = 4
    }
}

@OptIn(ExperimentalAtomicApi::class)
private class Held<C : Any>(private val holding: Holding<C>) : SetLease<C> {
    private val held = AtomicReference<Holding<C>?>(holding)

    override val connection: C
        get() = (held.load() ?: throw IllegalStateException("$this has ended: its connection may be closed")).connection

    override val source: SetConnection<C> get() = holding

    override fun close() {
        held.exchange(null)?.release()
    }

    override fun toString(): String = "lease of $holding"
}

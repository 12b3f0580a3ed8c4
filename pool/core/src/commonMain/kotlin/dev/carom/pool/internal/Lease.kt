package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Claim
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.Job
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.coroutines.CoroutineContext

/** One open connection, as the desk knows it. */
@OptIn(ExperimentalAtomicApi::class)
internal class Line<C : Any>(
    val slot: Long,
    val index: Int,
    val backend: Backend,
    val connection: C,
    val desk: ClaimDesk<C>,
) {
    /** Who has it now. Whoever takes a lease out of here may end it, once. */
    val lease = AtomicReference<Lease<C>?>(null)

    /** Set by the pool: it wants this connection back when it is returned. */
    @Volatile
    var recalled = false

    /** Counted by whoever has just taken the connection; read by anybody, a little late. */
    var loans = 0

    fun lend(holder: Any?): Lease<C> {
        loans++
        val next = Lease(this, holder, desk.clock.coarseMillis(), loans)
        lease.store(next)
        return next
    }
}

/** A claim: valid for as long as its [line] has it as the current lease. One object, no lock. */
@OptIn(ExperimentalAtomicApi::class)
internal class Lease<C : Any>(
    private val line: Line<C>,
    /** A label, or the coroutine context of the claimer, which is read only for reports. */
    private val holder: Any?,
    private val sinceMillis: Long,
    private val loan: Int,
) : Claim<C> {
    override val connection: C
        get() {
            checkHeld("connection")
            return line.connection
        }

    override val backend: Backend
        get() {
            checkHeld("backend")
            return line.backend
        }

    override val id: Long get() = (line.slot shl Int.SIZE_BITS) or loan.toLong()

    override val ageMillis: Long
        get() {
            checkHeld("age")
            return heldMillis
        }

    val heldMillis: Long get() = (line.desk.clock.coarseMillis() - sinceMillis).coerceAtLeast(0)

    val holderName: String
        get() = when (holder) {
            is String -> holder
            is CoroutineContext -> holder[CoroutineName]?.name ?: holder[Job]?.toString() ?: "unnamed"
            else -> "unnamed"
        }

    override fun close() {
        if (line.lease.compareAndSet(this, null)) line.desk.takeBack(line)
    }

    override fun discard(cause: Throwable?) {
        end(Outcome.Discarded(cause))
    }

    /** For a lease that never reached its caller, or a connection that must not be lent on as it is. */
    fun end(outcome: Outcome) {
        if (line.lease.compareAndSet(this, null)) line.desk.takeBack(line, outcome)
    }

    private fun checkHeld(what: String) {
        check(line.lease.load() === this) {
            "$this has ended: its $what is no longer yours (use the connection only between claim and close)"
        }
    }

    override fun toString(): String = "claim ${line.slot}.$loan on ${line.backend} by \"$holderName\""
}

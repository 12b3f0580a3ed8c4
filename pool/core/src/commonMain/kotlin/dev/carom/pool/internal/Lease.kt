package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Claim
import dev.carom.pool.ClaimOutcome
import dev.carom.pool.Fault
import dev.carom.pool.Holder
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.time.Duration.Companion.milliseconds

/** One open connection, as the desk knows it. */
@OptIn(ExperimentalAtomicApi::class)
internal class Line<C : Any>(
    val slot: Long,
    val index: Int,
    val backend: Backend,
    val meter: Meter,
    val connection: C,
    val desk: ClaimDesk<C>,
) {
    /** Kept for claims of the reserved lane. */
    val reserved: Boolean get() = index < desk.reserved

    /** Who has it now. Whoever takes a lease out of here may end it, once. */
    val lease = AtomicReference<Lease<C>?>(null)

    /** Set by the pool: it wants this connection back when it is returned. */
    @Volatile
    var recalled = false

    /** Counted by whoever has just taken the connection; read by anybody, a little late. */
    var loans = 0

    /** When it last came back; read a little late, too. */
    var idleSinceMillis = desk.clock.coarseMillis()
        private set

    fun lend(who: Any?): Lease<C> {
        loans++
        val next = Lease(this, who, desk.clock.coarseMillis(), loans)
        lease.store(next)
        return next
    }

    fun returned() {
        idleSinceMillis = desk.clock.coarseMillis()
    }
}

/** A claim: valid for as long as its [line] has it as the current lease. One object, no lock. */
@OptIn(ExperimentalAtomicApi::class)
internal class Lease<C : Any>(
    private val line: Line<C>,
    /** A label, a coroutine context or a [Holding], which are read only for reports. */
    val who: Any?,
    private val startMillis: Long,
    private val loan: Int,
) : Claim<C> {
    /** How long after the start it was last renewed. Read a little late: a volatile one would cost every claim a fence. */
    private var renewedMillis = 0

    /** Whether it has been reported as stalled since. Touched by the pool's loop alone. */
    var warned = false

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

    val heldMillis: Long get() = (line.desk.clock.coarseMillis() - startMillis).coerceAtLeast(0)

    /** Milliseconds without a sign of life. */
    val quietMillis: Long get() = (heldMillis - renewedMillis).coerceAtLeast(0)

    val holder: Holder get() = holderOf(who, line.backend, id, heldMillis)

    override fun renew() {
        checkHeld("time")
        renewedMillis = heldMillis.coerceAtMost(Int.MAX_VALUE.toLong()).toInt()
        warned = false
    }

    override fun report(outcome: ClaimOutcome, latencyNanos: Long) {
        require(latencyNanos >= 0) { "latencyNanos must not be negative, was $latencyNanos" }
        checkHeld("outcome")
        line.desk.reported(line, outcome, latencyNanos)
    }

    override fun report(cause: Throwable): Fault {
        checkHeld("outcome")
        return line.desk.reported(line, cause)
    }

    override fun close() {
        if (line.lease.compareAndSet(this, null)) line.desk.takeBack(line)
    }

    override fun discard(cause: Throwable?) {
        if (!line.lease.compareAndSet(this, null)) return
        if (cause != null) line.desk.reported(line, cause)
        line.desk.takeBack(line, Outcome.Discarded(cause))
    }

    /** For a lease that never reached its caller, or a connection that must not be lent on as it is. */
    fun end(outcome: Outcome): Boolean {
        val mine = line.lease.compareAndSet(this, null)
        if (mine) line.desk.takeBack(line, outcome)
        return mine
    }

    private fun checkHeld(what: String) {
        check(line.lease.load() === this) {
            "$this has ended: its $what is no longer yours (use the connection only between claim and close)"
        }
    }

    override fun toString(): String =
        "claim ${line.slot}.$loan on ${line.backend} by \"${nameOf(who)}\" for ${heldMillis.milliseconds}"
}

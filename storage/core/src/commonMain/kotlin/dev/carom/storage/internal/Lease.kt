package dev.carom.storage.internal

import dev.carom.storage.DestroyReason
import dev.carom.storage.LeaseInfo
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionLease
import kotlinx.coroutines.Job
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicBoolean
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/** One loan. Ends once, whoever ends it. */
@OptIn(ExperimentalAtomicApi::class)
internal class Lease<S : Any>(private val engine: Engine<S>, val id: Long, val raw: SessionLease<S>, val loan: Loan) {
    val session: S get() = raw.session

    private val ended = AtomicBoolean(false)

    /** Why the session must not be used again; the first reason stays. */
    @Volatile
    var lost: Pair<DestroyReason, Throwable?>? = null
        private set

    /** What to end when the pool must not wait any longer. */
    val escalation = StopCell()

    /** The connection it was made into. */
    @Volatile
    var face: Any? = null

    val use = LeaseUse(loan.since)

    /** Whether a refused write is the caller's own doing. */
    @Volatile
    var readOnly: Boolean = false

    val isSpoiled: Boolean get() = lost != null

    val info: LeaseInfo get() = engine.infoOf(loan).also { it.face = face }

    /** From now on it is somebody's to forget. */
    fun watch() {
        use.watched = true
        engine.leaks.used()
    }

    /** A call has ended. */
    fun used() {
        use.ends(engine.now)
        if (use.watched) engine.leaks.used()
    }

    fun spoil(reason: DestroyReason, cause: Throwable?) {
        if (lost == null) lost = reason to cause
    }

    fun end(level: ResetLevel): Job? = if (ended.compareAndSet(false, true)) engine.giveBack(this, level) else null
}

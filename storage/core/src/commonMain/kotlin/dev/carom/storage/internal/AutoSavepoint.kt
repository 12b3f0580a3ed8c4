package dev.carom.storage.internal

import dev.carom.storage.DestroyReason
import dev.carom.storage.SessionTxn

/**
 * A savepoint around one operation: one that fails, or is cancelled, is undone alone, and the transaction goes on. Must be
 * used where cancellation cannot reach: whether there is one must never be in doubt.
 */
internal class AutoSavepoint<S : Any>(private val engine: Engine<S>, private val lease: Lease<S>) {
    private val name = "carom_auto_${engine.countAcquired()}"

    suspend fun set() {
        when (val ran = engine.shielded(lease, engine.policy.beginTimeout) { engine.driver.savepoint(it, name) }) {
            is Ran.Returned -> Unit

            is Ran.Threw -> {
                if (engine.driver.classify(ran.failure)?.broken == true) lease.spoil(DestroyReason.BROKEN, ran.failure)
                throw engine.translate(ran.failure)
            }

            is Ran.Abandoned -> {
                val late = engine.timeout("savepoint")
                lease.spoil(DestroyReason.CANCEL_TIMEOUT, late)
                throw late
            }
        }
    }

    /** Forgets it, or goes back to it. What went wrong is returned. */
    suspend fun end(keep: Boolean): Throwable? {
        // Where the platform has rolled back everything, there is nothing to go back to.
        if (lease.isSpoiled || engine.driver.txnOf(lease.session) == SessionTxn.IDLE) return null
        return engine.clear(lease) {
            if (keep) engine.driver.releaseSavepoint(it, name) else engine.driver.rollbackToSavepoint(it, name)
        }
    }
}

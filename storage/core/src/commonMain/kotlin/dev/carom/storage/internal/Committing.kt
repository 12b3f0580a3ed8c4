package dev.carom.storage.internal

import dev.carom.storage.DestroyReason
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionTxn
import dev.carom.storage.StorageException
import dev.carom.storage.TxnEnd
import dev.carom.storage.TxnStatus

/**
 * What an attempt to commit came to.
 *
 * @property failure what the caller is told; null if all is well.
 */
internal class Outcome(val status: TxnStatus, val end: TxnEnd, val failure: Throwable? = null)

/**
 * The commit on the wire, and what its answer means: committed, rolled back, or unknown. Must be used where cancellation
 * cannot reach.
 */
internal class Committing<S : Any>(
    private val engine: Engine<S>,
    private val home: TxnHome<S>,
    private val lease: Lease<S>,
) {
    suspend fun commit(): Outcome {
        val token = token()
        return when (val ran = engine.shielded(lease, engine.policy.commitTimeout, home::commit)) {
            is Ran.Returned -> Outcome(TxnStatus.COMMITTED, TxnEnd.COMMIT)
            is Ran.Threw -> failed(ran.failure, token)
            is Ran.Abandoned -> unknown(engine.timeout("commit"), token)
        }
    }

    /** Where only a rollback is accepted. [cause] is why. */
    suspend fun rollBackInstead(cause: Throwable?): Outcome {
        engine.clear(lease, home::rollback)
        val told = StorageException.TxnFailed(
            engine.name,
            "the platform accepts only a rollback; it was done",
            cause,
        )
        return Outcome(TxnStatus.ROLLED_BACK, TxnEnd.ROLLBACK, told)
    }

    private suspend fun failed(failure: Throwable, token: Any?): Outcome {
        val info = engine.driver.classify(failure)
        val open = engine.driver.txnOf(lease.session) != SessionTxn.IDLE
        if (info?.broken == true || (info == null && !open)) return unknown(failure, token)
        // It said no. One that did not roll back by itself is rolled back here; no second commit, no other error.
        if (open) engine.clear(lease, home::rollback)
        return Outcome(TxnStatus.ROLLED_BACK, TxnEnd.PLATFORM, engine.translate(failure, info))
    }

    private suspend fun unknown(cause: Throwable, token: Any?): Outcome {
        lease.spoil(DestroyReason.UNKNOWN_COMMIT, cause)
        // Only the outer commit makes anything last: without the session all of it is gone.
        if (home.isNested) return lost("the session was lost with the nested commit", cause)
        return when (if (token == null) null else resolve(token)) {
            TxnStatus.COMMITTED -> Outcome(TxnStatus.COMMITTED, TxnEnd.PLATFORM)

            TxnStatus.ROLLED_BACK -> lost("the session was lost with the commit, which did not happen", cause)

            else -> Outcome(
                TxnStatus.UNKNOWN,
                TxnEnd.COMMIT,
                StorageException.CommitOutcomeUnknown(
                    engine.name,
                    "no answer to the commit: it may have happened",
                    cause,
                ),
            )
        }
    }

    private fun lost(what: String, cause: Throwable) =
        Outcome(TxnStatus.ROLLED_BACK, TxnEnd.PLATFORM, StorageException.ConnBroken(engine.name, what, cause))

    private suspend fun token(): Any? {
        val wanted = engine.driver.capabilities.resolvesOutcome && engine.policy.resolveTimeout.isPositive()
        if (!wanted || home.isNested) return null
        var token: Any? = null
        engine.shielded(lease, engine.policy.beginTimeout) { token = engine.driver.outcomeToken(it) }
        return token
    }

    /** Asks on another session, until the platform has decided. The lost one is given up first: it may be the only one. */
    private suspend fun resolve(token: Any): TxnStatus? {
        lease.end(ResetLevel.NONE)
        return resolveOutcome(engine, token)
    }
}

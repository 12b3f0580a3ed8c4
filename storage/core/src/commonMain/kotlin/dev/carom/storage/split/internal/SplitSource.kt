package dev.carom.storage.split.internal

import dev.carom.storage.SessionLease
import dev.carom.storage.SessionSource
import dev.carom.storage.split.Consistency
import dev.carom.storage.split.Replication
import dev.carom.storage.split.RoleLease
import dev.carom.storage.split.RoleSource
import dev.carom.storage.split.SessionRole
import dev.carom.storage.split.SplitPolicy
import dev.carom.storage.split.SplitStats
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.atomics.AtomicLong
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

/**
 * Sessions for reads and writes. A replica is asked whether it serves the read on the very session that will, before its
 * transaction begins: afterwards the answer could be about a later moment than what the transaction sees.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class SplitSource<S : Any>(
    private val roles: RoleSource<S>,
    private val replication: Replication<S>,
    private val policy: SplitPolicy,
    timeSource: TimeSource,
) : SessionSource<S> {
    private val start = timeSource.markNow()
    private val board = AtomicReference(LagBoard(policy.lagMemory))
    private val replicaReads = AtomicLong(0)
    private val primaryReads = AtomicLong(0)

    override val capacity: Int get() = roles.capacity

    val stats: SplitStats get() = SplitStats(replicaReads.load(), primaryReads.load())

    override fun tryLease(): SessionLease<S>? = tryLease(null)

    override fun tryLease(wish: Any?): SessionLease<S>? = when (wish) {
        null -> roles.tryLease(SessionRole.PRIMARY)
        is Consistency.Eventual -> roles.tryLease(SessionRole.REPLICA)?.also { replicaReads.incrementAndFetch() }
        else -> null
    }

    override suspend fun lease(holder: String): SessionLease<S> = lease(holder, null)

    override suspend fun lease(holder: String, wish: Any?): SessionLease<S> {
        val wanted = wish as? Consistency ?: return roles.leasePrimary(holder)
        while (true) {
            fitting(holder, wanted)?.let {
                replicaReads.incrementAndFetch()
                return it
            }
            if (policy.allowPrimaryReads || wanted is Consistency.Latest) {
                return roles.leasePrimary(holder).also { primaryReads.incrementAndFetch() }
            }
            delay(policy.askAgain)
        }
    }

    /** A session of a replica that serves the read; null if there is none now. */
    private suspend fun fitting(holder: String, wanted: Consistency): RoleLease<S>? {
        if (wanted is Consistency.Latest) return null
        val passed = HashSet<String>()
        while (true) {
            val lease = roles.leaseReplica(holder, passed) ?: return null
            passed += lease.server
            // Out of reach of cancellation: a session whose answer nobody waits for could not be given back.
            if (withContext(NonCancellable) { serves(lease, wanted) }) return lease
        }
    }

    /** Gives [lease] back if it does not. */
    private suspend fun serves(lease: RoleLease<S>, wanted: Consistency): Boolean {
        val known = board.load().serves(lease.server, wanted, now(), replication::covers)
        val serves = try {
            known ?: withTimeoutOrNull(policy.checkTimeout) { asked(lease, wanted) }
        } catch (failure: CancellationException) {
            // The session's own: nothing cancels this.
            lost(lease, failure)
            return false
        } catch (failure: Throwable) {
            lost(lease, failure)
            return false
        }
        when (serves) {
            true -> return true
            false -> lease.giveBack()
            null -> lost(lease, null)
        }
        return false
    }

    private fun lost(lease: RoleLease<S>, cause: Throwable?) {
        change { it.forget(lease.server) }
        lease.destroy(cause)
    }

    private suspend fun asked(lease: RoleLease<S>, wanted: Consistency): Boolean = when (wanted) {
        is Consistency.Eventual -> true

        is Consistency.Latest -> false

        is Consistency.MaxLag -> {
            // Of the moment before the question: the answer may have been on its way for a while.
            val at = now()
            val lag = replication.lagMillis(lease.session)
            val note = LagNote(lag.milliseconds, at)
            change { it.lags(lease.server, note) }
            note.lag + (now() - at) <= wanted.millis.milliseconds
        }

        is Consistency.ReadYourWrites -> replication.hasReached(lease.session, wanted.token).also { reached ->
            if (reached) change { it.reached(lease.server, wanted.token, replication::covers) }
        }
    }

    private fun now() = start.elapsedNow()

    private inline fun change(next: (LagBoard) -> LagBoard) {
        while (true) {
            val now = board.load()
            if (board.compareAndSet(now, next(now))) return
        }
    }

    override suspend fun close(): Unit = roles.close()
}

package dev.carom.pool.internal

import dev.carom.pool.Claim
import dev.carom.pool.CloseReport
import dev.carom.pool.Connector
import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.Resolver
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** The pool as its callers see it: the claim path, in the caller's coroutine. All else happens in the [PoolLoop]. */
internal class PoolShell<C : Any> private constructor(
    override val name: String,
    override val policy: PoolPolicy,
    private val connector: Connector<C>,
    private val hooks: Hooks,
    private val loop: PoolLoop<C>,
) : Pool<C> {
    private val desk = loop.desk

    override val snapshot: StateFlow<PoolSnapshot> = loop.snapshots.asStateFlow()
    override val notices: Flow<PoolNotice> = loop.board.notices

    override suspend fun claim(holder: String?): Claim<C> {
        val who = holder ?: currentCoroutineContext()
        val ready = desk.take(who)
        return if (ready != null && !hooks.acquire) ready else claimSlowly(ready, who)
    }

    override fun tryClaim(holder: String?): Claim<C>? {
        val ready = if (hooks.acquire) null else desk.take(holder)
        if (ready == null) desk.checkOpen()
        return ready
    }

    private suspend fun claimSlowly(ready: Lease<C>?, who: Any): Claim<C> {
        val deadline = loop.clock.now() + policy.claimTimeout
        var lease = ready ?: desk.await(deadline, who, attempts = 0, lastFailure = null)
        var attempts = 0
        while (hooks.acquire) {
            val failure = prepare(lease, deadline) ?: break
            lease = desk.await(deadline, who, ++attempts, failure)
        }
        return lease
    }

    /** Null if it went well; else why not, and the lease is over. */
    private suspend fun prepare(lease: Lease<C>, deadline: Duration): Throwable? {
        val limit = minOf(policy.acquireTimeout, deadline - loop.clock.now())
        val failure = try {
            val connection = lease.connection
            val done = withTimeoutOrNull(limit) {
                connector.onAcquire(connection)
                true
            }
            if (done == true) return null
            CallTimeout("onAcquire", limit)
        } catch (e: Throwable) {
            if (!currentCoroutineContext().isActive) {
                // Half prepared: nobody else should get it.
                lease.discard()
                throw e
            }
            e
        }
        lease.end(Outcome.NotPrepared(failure))
        return failure
    }

    override suspend fun awaitReady(connections: Int) {
        require(connections in 1..policy.maxSlots) { "connections must be in 1..${policy.maxSlots}, was $connections" }
        loop.send(PoolEvent.ReadyAwaited(connections))
        try {
            val seen = withTimeoutOrNull(policy.claimTimeout) {
                snapshot.first { it.phase != PoolSnapshot.Phase.Open || it.usable >= connections }
            }
            if (seen?.phase == PoolSnapshot.Phase.Open) return
        } finally {
            loop.send(PoolEvent.ReadyUnawaited(connections))
        }
        desk.checkOpen()
        val answer = CompletableDeferred<PoolException>()
        loop.send(ShellInput.WhyNotReady(connections, answer))
        val why = withTimeoutOrNull(ANSWER) { answer.await() }
        desk.checkOpen()
        throw why ?: closedException(name, null)
    }

    override suspend fun close(graceMillis: Long): CloseReport {
        require(graceMillis >= 0) { "graceMillis must not be negative, was $graceMillis" }
        loop.send(ShellInput.Close(graceMillis.milliseconds))
        val report = loop.report.await()
        // Nothing of the pool runs any more when this returns, unless a connector or the resolver refuses to end.
        if (report.stuck == 0) withTimeoutOrNull(policy.closeTimeout) { loop.join() }
        return report
    }

    override suspend fun close(): CloseReport = close(minOf(policy.claimTimeout, GRACE).inWholeMilliseconds)

    override fun toString(): String = snapshot.value.toString()

    companion object {
        private val GRACE = 10.seconds

        /** Bounds the wait for a loop that may have ended meanwhile. */
        private val ANSWER = 1.seconds

        private val PoolSnapshot.usable: Int get() = backends.sumOf { it.connected - it.draining }

        fun <C : Any> open(
            parent: CoroutineScope,
            name: String,
            resolver: Resolver,
            connector: Connector<C>,
            policy: PoolPolicy,
            hooks: Hooks,
            timeSource: TimeSource,
            random: Random,
        ): Pool<C> {
            require(name.isNotEmpty()) { "a pool's name must not be empty" }
            // A supervisor: one failing connection is not the end of the pool.
            val job = SupervisorJob(parent.coroutineContext[Job])
            val scope = CoroutineScope(parent.coroutineContext + job + CoroutineName("pool $name"))
            val loop = PoolLoop(name, policy, resolver, connector, hooks, scope, job, timeSource.markNow(), random)
            job.invokeOnCompletion { loop.ended(it) }
            scope.launch { loop.run() }
            return PoolShell(name, policy, connector, hooks, loop)
        }
    }
}

package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Claim
import dev.carom.pool.ClaimOptions
import dev.carom.pool.CloseReport
import dev.carom.pool.Connector
import dev.carom.pool.Explanation
import dev.carom.pool.HealthStatus
import dev.carom.pool.Holder
import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolRecording
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.Resolver
import dev.carom.pool.within
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
import kotlinx.coroutines.selects.select
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

    private val loupe = Loupe(policy.lease, name, desk) { loop.send(ShellInput.Tell(it)) }

    override suspend fun claim(holder: String?): Claim<C> {
        val context = currentCoroutineContext()
        if (loupe.examines) return claim(loupe.examine(holder, context), null)
        val who: Any = if (holder == null) context else Holding(holder, context)
        val ready = desk.take(who)
        if (ready != null && !hooks.acquire) return ready
        return finish(ready, request(who, null))
    }

    override suspend fun claim(options: ClaimOptions): Claim<C> =
        claim(loupe.examine(options.holder, currentCoroutineContext(), options.tags, options.allowNested), options)

    private suspend fun claim(who: Holding, options: ClaimOptions?): Claim<C> {
        val request = request(who, options)
        val ready = desk.take(request)
        if (ready != null && !hooks.acquire) return ready
        return finish(ready, request, warn = options?.allowNested != true)
    }

    private fun request(who: Any, options: ClaimOptions?): Request {
        val timeout = options?.timeout ?: policy.claimTimeout
        val deadline = loop.clock.now() + timeout
        return Request(who, timeout, deadline, options?.reserved ?: false, options?.role, options?.accepts)
    }

    override fun tryClaim(holder: String?): Claim<C>? {
        val ready = if (hooks.acquire) null else desk.take(holder)
        if (ready == null) desk.checkOpen()
        return ready
    }

    /** What [claim] would lend [caller] at once: for a thread, which a coroutine costs more than the connection. */
    fun tryClaim(caller: Caller, holder: String?, options: ClaimOptions?): Claim<C>? = when {
        hooks.acquire -> null

        options == null && !loupe.examines -> desk.take(if (holder == null) caller else Holding(holder, caller))

        else -> {
            val nested = options?.allowNested == true
            desk.take(request(loupe.examine(holder, caller, options?.tags.orEmpty(), nested), options))
        }
    }

    private suspend fun finish(ready: Lease<C>?, request: Request, warn: Boolean = true): Claim<C> {
        if (ready == null && warn) loupe.warn(request.who)
        val since = loop.clock.now()
        var lease = ready ?: desk.await(request, since)
        var attempts = 0
        while (hooks.acquire) {
            val failure = prepare(lease, request.deadline) ?: break
            lease = desk.await(request, since, ++attempts, failure)
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
        require(connections in 1..policy.ceiling) { "connections must be in 1..${policy.ceiling}, was $connections" }
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
        throw answer(answer)
    }

    override fun health(): HealthStatus {
        val seen = snapshot.value
        val live = loop.running && seen.phase == PoolSnapshot.Phase.Open
        val online = seen.backends.count { it.online && it.active }
        val reason = when {
            !live -> "the pool is ${seen.phase.name.lowercase()}"

            seen.paused -> "paused"

            seen.backends.none { !it.removed } -> "no backend is listed"

            online == 0 ->
                "no backend is online" +
                    seen.backends.firstNotNullOfOrNull { it.lastError }?.let { ": $it" }.orEmpty()

            else -> "$seen"
        }
        return HealthStatus(live, live && online > 0 && !seen.paused, reason)
    }

    override suspend fun explain(): Explanation = explain(null, null)

    override suspend fun explain(claim: Claim<C>): Explanation {
        val lease = desk.leaseOut { it === claim } ?: return explain(null, "$claim has ended")
        return explain(lease.holder, "$lease")
    }

    private suspend fun explain(first: Holder?, summary: String?): Explanation {
        desk.checkOpen()
        val answer = CompletableDeferred<Explanation>()
        desk.look { waiters ->
            val now = loop.clock.now()
            loop.send(ShellInput.Explain(waiters.map { it.describe(now) }, first, summary, answer))
        }
        return answer(answer)
    }

    override suspend fun drain(backend: Backend): Int {
        desk.checkOpen()
        val answer = CompletableDeferred<Int>()
        loop.send(ShellInput.Drain(backend, answer))
        val connections = answer(answer)
        snapshot.first { seen -> seen.backends.none { it.backend == backend && it.drained && it.slots > 0 } }
        return connections
    }

    override fun undrain(backend: Backend) = loop.send(PoolEvent.DrainRevoked(backend))

    override fun evict() = loop.send(PoolEvent.EvictRequested(null))

    override fun evict(backend: Backend) = loop.send(PoolEvent.EvictRequested(backend))

    override fun pause() = pause(true)

    override fun resume() = pause(false)

    private fun pause(paused: Boolean) {
        // Now, for the caller's next claim; the loop does it again, in the order in which it is told.
        desk.pause(paused)
        loop.send(ShellInput.Pause(paused))
    }

    override fun limit(spares: Int, maxSlots: Int) {
        within("maxSlots", maxSlots, policy.reserved + 1..policy.ceiling)
        within("spares", spares, 0..maxSlots)
        loop.send(PoolEvent.LimitsSet(spares, maxSlots))
    }

    /** The loop's answer; if it has ended meanwhile, there is none. */
    private suspend fun <T> answer(answer: CompletableDeferred<T>): T = select {
        answer.onAwait { it }
        loop.report.onAwait {
            desk.checkOpen()
            throw closedException(name, null)
        }
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
            recording: PoolRecording? = null,
        ): Pool<C> {
            require(name.isNotEmpty()) { "a pool's name must not be empty" }
            // A supervisor: one failing connection is not the end of the pool.
            val job = SupervisorJob(parent.coroutineContext[Job])
            val scope = CoroutineScope(parent.coroutineContext + job + CoroutineName("pool $name"))
            val start = timeSource.markNow()
            val loop = PoolLoop(name, policy, resolver, connector, hooks, scope, job, start, random, recording)
            job.invokeOnCompletion { loop.ended(it) }
            scope.launch { loop.run() }
            return PoolShell(name, policy, connector, hooks, loop)
        }
    }
}

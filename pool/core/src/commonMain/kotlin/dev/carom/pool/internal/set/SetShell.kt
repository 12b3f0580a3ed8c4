package dev.carom.pool.internal.set

import dev.carom.pool.CloseReport
import dev.carom.pool.ConnectionSet
import dev.carom.pool.Connector
import dev.carom.pool.PoolException
import dev.carom.pool.PoolSnapshot.Phase
import dev.carom.pool.Resolver
import dev.carom.pool.SetChange
import dev.carom.pool.SetConnection
import dev.carom.pool.SetLease
import dev.carom.pool.SetNotice
import dev.carom.pool.SetPolicy
import dev.carom.pool.SetSnapshot
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.decrementAndFetch
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** The set as its users see it, in their coroutines. All else happens in the [SetLoop]. */
@OptIn(ExperimentalAtomicApi::class)
internal class SetShell<C : Any> private constructor(
    override val name: String,
    override val policy: SetPolicy,
    private val loop: SetLoop<C>,
) : ConnectionSet<C> {
    override val connections: StateFlow<List<SetConnection<C>>> = loop.connections.asStateFlow()
    override val snapshot: StateFlow<SetSnapshot> = loop.snapshots.asStateFlow()
    override val notices: Flow<SetNotice> = loop.notices.notices

    /** Differences of a StateFlow: nothing to overflow, nothing to lose. */
    override val changes: Flow<SetChange<C>> = flow {
        var known = emptyList<Holding<C>>()
        val rosters = loop.roster.transformWhile { roster ->
            emit(roster.holdings)
            roster.phase != Phase.Closed
        }
        rosters.collect { now ->
            for (added in now - known.toSet()) emit(SetChange.Added(added))
            for (gone in known - now.toSet()) emit(SetChange.Removed(gone, gone.removal.first, gone.removal.second))
            known = now
        }
    }

    override fun tryLease(): SetLease<C>? {
        val roster = loop.roster.value
        if (roster.phase != Phase.Open) throw setClosed(name)
        return roster.pick()
    }

    override suspend fun lease(): SetLease<C> {
        tryLease()?.let { return it }
        var lease: SetLease<C>? = null
        loop.waiting.incrementAndFetch()
        try {
            // The result leaves by the variable: a timeout or a cancellation just then would drop a returned one.
            withTimeoutOrNull(policy.leaseTimeout) {
                loop.roster.first { roster ->
                    lease = roster.pick()
                    lease != null || roster.phase != Phase.Open
                }
            }
        } catch (e: Throwable) {
            lease?.close()
            throw e
        } finally {
            loop.waiting.decrementAndFetch()
        }
        return lease ?: throw refusal { notConnected(name, policy.leaseTimeout, it) }
    }

    override suspend fun awaitReady(connections: Int) {
        require(connections in 1..policy.target) { "connections must be in 1..${policy.target}, was $connections" }
        val seen = withTimeoutOrNull(policy.leaseTimeout) {
            loop.roster.first { it.phase != Phase.Open || it.holdings.size >= connections }
        }
        if (seen == null || seen.phase != Phase.Open) {
            throw refusal { notReady(name, connections, policy.leaseTimeout, it) }
        }
    }

    override suspend fun close(graceMillis: Long): CloseReport {
        require(graceMillis >= 0) { "graceMillis must not be negative, was $graceMillis" }
        loop.send(SetOrder.Close(graceMillis.milliseconds))
        val report = loop.report.await()
        // Nothing of the set runs any more when this returns, unless a connector or the resolver refuses to end.
        if (report.stuck == 0) withTimeoutOrNull(policy.closeTimeout) { loop.join() }
        return report
    }

    override suspend fun close(): CloseReport = close(minOf(policy.drainTimeout, GRACE).inWholeMilliseconds)

    fun tell(notice: SetNotice) = loop.send(SetOrder.Tell(notice))

    private fun refusal(otherwise: (SetSnapshot) -> PoolException): PoolException =
        if (loop.roster.value.phase == Phase.Open) otherwise(snapshot.value) else setClosed(name)

    override fun toString(): String = snapshot.value.toString()

    companion object {
        private val GRACE = 10.seconds

        fun <C : Any> open(
            parent: CoroutineScope,
            name: String,
            resolver: Resolver,
            connector: Connector<C>,
            policy: SetPolicy,
            preference: Preference,
            timeSource: TimeSource,
            random: Random,
        ): SetShell<C> {
            require(name.isNotEmpty()) { "a connection set's name must not be empty" }
            // A supervisor: one failing connection is not the end of the set.
            val job = SupervisorJob(parent.coroutineContext[Job])
            val scope = CoroutineScope(parent.coroutineContext + job + CoroutineName("set $name"))
            val start = timeSource.markNow()
            val loop = SetLoop(name, policy, preference, resolver, connector, scope, job, start, random)
            job.invokeOnCompletion { loop.ended() }
            scope.launch { loop.run() }
            return SetShell(name, policy, loop)
        }
    }
}

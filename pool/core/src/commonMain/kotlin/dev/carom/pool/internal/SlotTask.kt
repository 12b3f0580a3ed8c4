package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import dev.carom.pool.Fault
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration

/** A call into user code took longer than the policy allows. */
internal class CallTimeout(call: String, limit: Duration) : RuntimeException("$call did not end within $limit")

/**
 * The coroutine of one connection attempt and of the connection it may lead to, which it owns from `connect` to `close`:
 * nothing else closes it. Ends when its [job] is cancelled, and sends exactly one [PoolEvent.Ended] then.
 */
internal class SlotTask<C : Any>(
    private val slot: Long,
    val index: Int,
    val backend: Backend,
    val meter: Meter,
    private val connector: Connector<C>,
    private val hooks: Hooks,
    private val policy: PoolPolicy,
    private val send: (PoolEvent) -> Unit,
    private val closeFailed: (Throwable) -> Unit,
) {
    lateinit var job: Job

    /** Set before Connected is sent. */
    var connection: C? = null
        private set

    /** For hooks: children of the connection's coroutine, so that it never closes under one. */
    private var calls: CoroutineScope? = null
    private var failure: Throwable? = null
    private var role: Probe? = null

    fun start(scope: CoroutineScope) {
        job = scope.launch { run() }
        // Not in the coroutine itself: one that is cancelled before it starts does not run at all.
        job.invokeOnCompletion { send(PoolEvent.Ended(slot, failure, faultOf(connector, failure))) }
    }

    fun check() {
        var probe: Probe? = null
        hook({ PoolEvent.Checked(slot, it, probe) }) {
            if (hooks.valid) {
                bounded("isValid", policy.checkTimeout) { if (!connector.isValid(it)) throw NotValid() }
            }
            probe = probeRole(it)
        }
    }

    fun recycle() = hook({ PoolEvent.Recycled(slot, it) }) {
        bounded("onRecycle", policy.recycleTimeout) { connector.onRecycle(it) }
    }

    private fun hook(event: (Throwable?) -> PoolEvent, call: suspend SlotTask<C>.(C) -> Unit) {
        val opened = connection ?: return
        calls?.launch { send(event(failureOf { call(opened) })) }
    }

    private suspend fun run() {
        var opened: C? = null
        try {
            // The result leaves by the variable: a timeout or a cancellation just then would drop a returned one.
            failure = failureOf {
                bounded("connect", policy.connectTimeout) { opened = connector.connect(backend) }
                role = opened?.let { probeRole(it) }
            }
            val mine = opened
            if (mine != null && failure == null) live(mine)
        } finally {
            opened?.let { close(it) }
        }
    }

    private suspend fun live(mine: C): Nothing = coroutineScope {
        connection = mine
        calls = this
        send(PoolEvent.Connected(slot, role))
        val lost = failureOf { connector.awaitClosed(mine) }
        send(PoolEvent.Lost(slot, lost))
        awaitCancellation()
    }

    private suspend fun probeRole(mine: C): Probe? {
        if (!hooks.role) return null
        val demotions = meter.demotions
        var told: Role = Role.Unknown
        bounded("probeRole", policy.checkTimeout) { told = connector.probeRole(mine) }
        return Probe(told, demotions)
    }

    private suspend fun close(mine: C) = withContext(NonCancellable) {
        failureOf { bounded("close", policy.closeTimeout) { connector.close(mine) } }?.let(closeFailed)
    }

    /** Runs user code. Whatever it throws is its failure, except when this coroutine itself is cancelled. */
    private suspend inline fun failureOf(call: () -> Unit): Throwable? = try {
        call()
        null
    } catch (e: Throwable) {
        currentCoroutineContext().ensureActive()
        e
    }

    private suspend inline fun bounded(name: String, limit: Duration, crossinline call: suspend () -> Unit) {
        withTimeoutOrNull(limit) {
            call()
            true
        } ?: throw CallTimeout(name, limit)
    }
}

/** A connector that breaks its promise never to throw has said nothing. */
internal fun faultOf(connector: Connector<*>, cause: Throwable?): Fault = try {
    if (cause == null) Fault.None else connector.classify(cause)
} catch (_: Throwable) {
    Fault.Broken
}

/** [Connector.isValid] said no. */
internal class NotValid : RuntimeException("isValid returned false")

package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import dev.carom.pool.SetPolicy
import dev.carom.pool.internal.CallTimeout
import dev.carom.pool.internal.NotValid
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

/**
 * The coroutine of one connection attempt and of the connection it may lead to, which it owns from `connect` to
 * `close`: nothing else closes it. Ends when its [job] is cancelled, and sends exactly one [SetEvent.Ended] then.
 */
internal class SetTask<C : Any>(
    private val slot: Long,
    val backend: Backend,
    private val connector: Connector<C>,
    private val policy: SetPolicy,
    private val send: (SetEvent) -> Unit,
    private val closeFailed: (Throwable) -> Unit,
) {
    lateinit var job: Job

    /** Set before Connected is sent. */
    var connection: C? = null
        private set

    /** For checks: children of the connection's coroutine, so that it never closes under one. */
    private var checks: CoroutineScope? = null
    private var failure: Throwable? = null

    fun start(scope: CoroutineScope) {
        job = scope.launch { run() }
        // Not in the coroutine itself: one that is cancelled before it starts does not run at all.
        job.invokeOnCompletion { send(SetEvent.Ended(slot, failure)) }
    }

    fun check() {
        val opened = connection ?: return
        checks?.launch {
            val failed = failureOf {
                bounded("isValid", policy.checkTimeout) { if (!connector.isValid(opened)) throw NotValid() }
            }
            send(SetEvent.Checked(slot, failed))
        }
    }

    private suspend fun run() {
        var opened: C? = null
        try {
            // The result leaves by the variable: a timeout or a cancellation just then would drop a returned one.
            val failed = failureOf { bounded("connect", policy.connectTimeout) { opened = connector.connect(backend) } }
            when (val mine = opened) {
                null -> failure = failed
                else -> live(mine)
            }
        } finally {
            opened?.let { close(it) }
        }
    }

    private suspend fun live(mine: C): Nothing = coroutineScope {
        connection = mine
        checks = this
        send(SetEvent.Connected(slot))
        val lost = failureOf { connector.awaitClosed(mine) }
        send(SetEvent.Lost(slot, lost))
        awaitCancellation()
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

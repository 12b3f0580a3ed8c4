package dev.carom.pool.internal

import dev.carom.pool.PoolNotice
import dev.carom.pool.Resolver
import dev.carom.pool.describe
import dev.carom.pool.resolverPause
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.launch
import kotlin.time.Duration

/** Collects the resolver for the pool, again and again if it fails, and keeps in mind why there may be no answer. */
internal class Resolving(private val resolver: Resolver, private val send: (LoopInput) -> Unit) {
    private var job: Job? = null

    /** Why the resolver has listed nothing yet; null: it has answered. */
    var unresolved: String? = "the resolver has not answered yet"
        private set
    var failure: Throwable? = null
        private set

    fun start(scope: CoroutineScope) {
        job = scope.launch { resolve() }
    }

    fun stop() {
        job?.cancel()
    }

    fun answered() {
        unresolved = null
        failure = null
    }

    fun ended(input: ShellInput.ResolverEnded, listed: Int): PoolNotice {
        val cause = input.cause
        if (cause == null) {
            if (unresolved != null) unresolved = "the resolver completed without an answer"
            return PoolNotice.ResolverCompleted(listed)
        }
        failure = cause
        if (unresolved != null) unresolved = "the resolver has not answered yet (${describe(cause)})"
        return PoolNotice.ResolverFailed(cause, input.retry.inWholeMilliseconds)
    }

    private suspend fun resolve() {
        var attempt = 0L
        while (true) {
            try {
                resolver.backends().conflate().collect {
                    attempt = 0
                    send(PoolEvent.BackendsListed(it.toSet()))
                }
                send(ShellInput.ResolverEnded(null, Duration.ZERO))
                return
            } catch (e: Throwable) {
                currentCoroutineContext().ensureActive()
                val pause = resolverPause(attempt++)
                send(ShellInput.ResolverEnded(e, pause))
                delay(pause)
            }
        }
    }
}

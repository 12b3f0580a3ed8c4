package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Holder
import dev.carom.pool.PoolException
import dev.carom.pool.PoolPolicy
import dev.carom.pool.describe
import kotlin.time.Duration.Companion.milliseconds

/** What a refusal says is so, taken at one moment so that any thread may read it. */
internal class Verdict(
    private val pool: String,
    private val policy: PoolPolicy,
    state: PoolState,
    private val holders: List<Holder>,
    private val waiting: Int,
    /** Why the resolver has listed nothing yet; null: it has answered. */
    private val unresolved: String?,
    private val resolverFailure: Throwable?,
) {
    private class Seen(val backend: Backend, val online: Boolean, val lastError: Throwable?)

    private val backends = state.sets.filter { it.listed }.map { Seen(it.backend, it.connected > 0, it.lastError) }
    private val connected = state.sets.sumOf { it.connected }
    private val lastErrors = LinkedHashMap<Backend, Throwable>().also { errors ->
        for (seen in backends) seen.lastError?.let { errors[seen.backend] = it }
    }

    fun refuse(attempts: Int, lastFailure: Throwable?): PoolException = when {
        attempts > 0 -> PoolException.NotPrepared(
            pool,
            "$pool: none of $attempts connections could be prepared within ${policy.claimTimeout}" +
                lastFailure?.let { ": ${describe(it)}" }.orEmpty(),
            attempts,
            lastFailure,
        )

        backends.isEmpty() -> noBackends()

        backends.none { it.online } -> PoolException.NoneOnline(
            pool,
            "$pool: none of ${backends.size} backends online for ${policy.claimTimeout}: ${errors()}",
            lastErrors,
        )

        else -> allClaimed()
    }

    fun notReady(wanted: Int): PoolException = when {
        backends.isEmpty() -> noBackends()

        else -> PoolException.NotReady(
            pool,
            "$pool: $connected of $wanted connections ready within ${policy.claimTimeout}: ${errors()}",
            connected,
            lastErrors,
        )
    }

    private fun noBackends(): PoolException {
        val why = unresolved ?: "the resolver lists none"
        return PoolException.NoBackends(pool, "$pool: no backends for ${policy.claimTimeout}: $why", resolverFailure)
    }

    private fun allClaimed(): PoolException {
        val oldest = holders.firstOrNull()
            ?.let { ", oldest holder \"${it.name}\" for ${it.ageMillis.milliseconds}" }
            .orEmpty()
        return PoolException.AllClaimed(
            pool,
            "$pool: ${holders.size} of $connected connections claimed for ${policy.claimTimeout} " +
                "(at most ${policy.maxSlots}), $waiting callers waiting$oldest",
            holders,
            waiting,
        )
    }

    private fun errors(): String {
        val named = backends.take(MOST_NAMED).joinToString("; ") { seen ->
            val state = seen.lastError?.let(::describe) ?: if (seen.online) "no error" else "not connected yet"
            "${seen.backend}: $state"
        }
        return if (backends.size > MOST_NAMED) "$named; and ${backends.size - MOST_NAMED} more" else named
    }

    private companion object {
        const val MOST_NAMED = 8
    }
}

internal fun closedException(pool: String, cause: Throwable?): PoolException = PoolException.Closed(
    pool,
    if (cause == null) "$pool: the pool is closed" else "$pool: the pool's scope ended: ${describe(cause)}",
    cause,
)

package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Explanation
import dev.carom.pool.Holder
import dev.carom.pool.PoolException
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import dev.carom.pool.WaitingClaim
import dev.carom.pool.describe
import kotlin.time.Duration
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
    private class Seen(val backend: Backend, val online: Boolean, val role: Role, val lastError: Throwable?)

    private val verdicts = state.verdicts()
    private val maxSlots = state.maxSlots
    private val backends =
        state.sets.filter { it.listed }.map { Seen(it.backend, it.connected > 0, it.meter.role, it.lastError) }
    private val connected = state.sets.sumOf { it.connected }
    private val lastErrors = LinkedHashMap<Backend, Throwable>().also { errors ->
        for (seen in backends) seen.lastError?.let { errors[seen.backend] = it }
    }

    fun refuse(waiter: Waiter<*>): PoolException =
        why(waiter.request, waiter.attempts, waiter.lastFailure).also { it.explanation = explain(it.message.orEmpty()) }

    /** [first] is to come first among the holders. */
    fun explain(summary: String, waiters: List<WaitingClaim> = emptyList(), first: Holder? = null) = Explanation(
        pool,
        summary,
        verdicts,
        if (first == null) holders else listOf(first) + holders.filter { it.claim != first.claim },
        waiters,
    )

    val summary: String
        get() = when {
            backends.isEmpty() -> "no backends: ${unresolved ?: "the resolver lists none"}"
            backends.none { it.online } -> "none of ${backends.size} backends online"
            verdicts.any { it.usable } && waiting == 0 -> "a claim would be served at once"
            else -> "a claim would wait: ${holders.size} of $connected connections claimed, $waiting waiting"
        }

    private fun why(request: Request, attempts: Int, lastFailure: Throwable?): PoolException = when {
        attempts > 0 -> PoolException.NotPrepared(
            pool,
            "$pool: none of $attempts connections could be prepared within ${request.timeout}" +
                lastFailure?.let { ": ${describe(it)}" }.orEmpty(),
            attempts,
            lastFailure,
        )

        backends.isEmpty() -> noBackends(request.timeout)

        backends.none { it.online } -> PoolException.NoneOnline(
            pool,
            "$pool: none of ${backends.size} backends online for ${request.timeout}: ${errors()}",
            lastErrors,
        )

        backends.none { it.online && request.suits(it.backend, it.role) } -> PoolException.NoneSuitable(
            pool,
            "$pool: no backend was ${request.wish} for ${request.timeout}: " +
                backends.joinToString { "${it.backend} is ${it.role}${if (it.online) "" else ", down"}" },
            lastErrors,
        )

        else -> allClaimed(request.timeout)
    }

    fun notReady(wanted: Int): PoolException = when {
        backends.isEmpty() -> noBackends(policy.claimTimeout)

        else -> PoolException.NotReady(
            pool,
            "$pool: $connected of $wanted connections ready within ${policy.claimTimeout}: ${errors()}",
            connected,
            lastErrors,
        )
    }.also { it.explanation = explain(it.message.orEmpty()) }

    private fun noBackends(timeout: Duration): PoolException {
        val why = unresolved ?: "the resolver lists none"
        return PoolException.NoBackends(pool, "$pool: no backends for $timeout: $why", resolverFailure)
    }

    private fun allClaimed(timeout: Duration): PoolException {
        val oldest = holders.firstOrNull()
            ?.let { ", oldest holder \"${it.name}\" for ${it.ageMillis.milliseconds}" }
            .orEmpty()
        val all = holders.take(MOST_NAMED).joinToString("") { "; held by $it" }
        return PoolException.AllClaimed(
            pool,
            "$pool: ${holders.size} of $connected connections claimed for $timeout " +
                "(at most $maxSlots), $waiting callers waiting$oldest$all",
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

internal fun shedException(pool: String, policy: PoolPolicy, waiting: Int, waited: Duration): PoolException =
    PoolException.Shed(
        pool,
        if (waited.isPositive()) {
            "$pool: refused after $waited to spare $waiting others the wait (${policy.queue})"
        } else {
            "$pool: refused at once: $waiting callers waiting, of at most ${policy.maxWaiters}"
        },
        waiting,
        waited.inWholeMilliseconds,
    )

internal fun nestedException(pool: String, outer: Holder, site: String?): PoolException = PoolException.NestedClaim(
    pool,
    "$pool: claimed ${site?.let { "at $it " }.orEmpty()}inside another claim of the same pool, held by $outer: " +
        "enough of these wait for each other for ever; use the connection in hand, or set allowNested",
    outer,
    site,
)

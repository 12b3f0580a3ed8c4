package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.PoolException
import dev.carom.pool.SetLease
import dev.carom.pool.SetSnapshot
import dev.carom.pool.describe
import kotlin.time.Duration

/** A lease of the connection of the best priority that has the fewest for its weight; null if none can be had. */
internal fun <C : Any> Roster<C>.pick(): SetLease<C>? {
    while (true) {
        val best = holdings.filter { it.isLeasable }.minWithOrNull(LEAST_LOADED) ?: return null
        // Somebody may have been quicker to take it out; then it is not leasable any more.
        best.lease()?.let { return it }
    }
}

private val LEAST_LOADED: Comparator<Holding<*>> =
    compareBy({ it.backend.priority }, { (it.leases + 1.0) / it.backend.weight.coerceAtLeast(1) }, { it.id })

internal fun setClosed(name: String): PoolException = PoolException.Closed(name, "$name: closed", null)

internal fun notConnected(name: String, waited: Duration, now: SetSnapshot): PoolException {
    val listed = now.backends.filter { it.listed }
    if (listed.isEmpty()) {
        return PoolException.NoBackends(name, "$name: no backend is listed, waited $waited", null)
    }
    val message = "$name: connected to ${now.live} of ${listed.size} backends, waited $waited${lastErrors(now)}"
    return PoolException.NoneOnline(name, message, errorsOf(now))
}

internal fun notReady(name: String, wanted: Int, waited: Duration, now: SetSnapshot): PoolException {
    val message = "$name: connected to ${now.live} of $wanted wanted, waited $waited${lastErrors(now)}"
    return PoolException.NotReady(name, message, now.live, errorsOf(now))
}

private fun errorsOf(now: SetSnapshot): Map<Backend, Throwable> =
    now.backends.mapNotNull { known -> known.lastError?.let { known.backend to it } }.toMap()

private fun lastErrors(now: SetSnapshot): String = now.backends
    .mapNotNull { known -> known.lastError?.let { "; ${known.backend}: ${describe(it)}" } }
    .take(MOST_ERRORS)
    .joinToString("")

private const val MOST_ERRORS = 8

package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.PoolException
import dev.carom.pool.SetLease
import dev.carom.pool.SetSnapshot
import dev.carom.pool.describe
import kotlin.time.Duration

/**
 * A lease of the connection of the best priority that has the fewest for its weight, among equals of that which had the
 * fewest so far; null if none can be had.
 */
internal fun <C : Any> Roster<C>.pick(): SetLease<C>? {
    while (true) {
        var best: Holding<C>? = null
        for (each in holdings) {
            if (each.isLeasable && (best == null || each.isBefore(best))) best = each
        }
        if (best == null) return null
        // Somebody may have been quicker to take it out; then it is not leasable any more.
        best.lease()?.let { return it }
    }
}

private fun Holding<*>.isBefore(other: Holding<*>): Boolean {
    if (backend.priority != other.backend.priority) return backend.priority < other.backend.priority
    val mine = leases / weight
    val others = other.leases / other.weight
    return mine < others || (mine == others && share < other.share)
}

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

package dev.carom.pool.dns.internal

import dev.carom.pool.Backend
import dev.carom.pool.dns.BackendHealth
import dev.carom.pool.dns.RemovalPolicy

/**
 * The backends that answers lack and that are kept all the same, those missing longest first, and how many answers in a
 * row lacked each. Asks [health] as the state asks its dice: it decides nothing else.
 */
internal class Removals(
    private val policy: RemovalPolicy,
    private val mostKept: Int,
    private val health: BackendHealth,
) {
    private val missing = LinkedHashMap<Backend, Int>()

    val kept: Set<Backend> get() = missing.keys.toSet()

    /** What is in force after [before], now that the answers list [listed]; [misses] are those of this round. */
    fun next(before: Set<Backend>, listed: Set<Backend>, misses: (Backend) -> Int): Set<Backend> {
        missing.keys.removeAll(listed)
        for (backend in before) {
            if (backend in listed) continue
            val count = minOf((missing[backend] ?: 0) + misses(backend), GONE)
            if (keeps(backend, count)) missing[backend] = count else missing -= backend
        }
        while (missing.size > mostKept) missing -= missing.keys.first()
        return listed + missing.keys
    }

    private fun keeps(backend: Backend, misses: Int): Boolean = when (policy) {
        is RemovalPolicy.Immediate -> false
        is RemovalPolicy.AfterMisses -> misses < policy.misses
        is RemovalPolicy.HealthGated -> health.isHealthy(backend)
        is RemovalPolicy.Never -> true
    }

    companion object {
        /** More misses than any policy forgives. */
        const val GONE = 1_000_000
    }
}

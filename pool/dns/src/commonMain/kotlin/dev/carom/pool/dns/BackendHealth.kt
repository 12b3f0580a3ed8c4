package dev.carom.pool.dns

import dev.carom.pool.Backend
import dev.carom.pool.PoolSnapshot
import kotlin.concurrent.Volatile

/**
 * Says whether a backend works, for [RemovalPolicy.HealthGated]. [PoolHealth] asks a pool.
 *
 * Called at the end of a round, for each backend that the answers lack, on the coroutine that collects
 * [DnsResolver.backends]: it must be quick and must not block. What it throws fails the collection.
 */
public fun interface BackendHealth {
    /** Whether [backend] is worth keeping although no answer lists it. Unknown is healthy. */
    public fun isHealthy(backend: Backend): Boolean
}

/**
 * What a pool knows of its backends' health. The resolver needs it before there is a pool, so the pool comes later:
 *
 * ```
 * val health = PoolHealth()
 * val resolver = DnsResolver(lookup, "shop.example", null, 5432, DnsPolicy(removal = HealthGated), health = health)
 * val pool = openPool("shop", resolver, connector)
 * health.follow { pool.snapshot.value }
 * ```
 *
 * Healthy is a backend to which a connection is open, one that has never failed, and one the pool has never heard of.
 * Before [follow] all are. Safe for use by several threads.
 */
public class PoolHealth : BackendHealth {
    @Volatile
    private var snapshot: (() -> PoolSnapshot)? = null

    /** From now on [snapshot] is asked, from the resolver's coroutine; from Java `health.follow(pool::snapshot)`. */
    public fun follow(snapshot: () -> PoolSnapshot) {
        this.snapshot = snapshot
    }

    override fun isHealthy(backend: Backend): Boolean {
        val known = snapshot?.invoke()?.backends?.firstOrNull { it.backend == backend } ?: return true
        return known.online || known.failures == 0L
    }
}

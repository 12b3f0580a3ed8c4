package dev.carom.bench

import dev.carom.pool.Backend
import dev.carom.pool.BlockingPool
import dev.carom.pool.Connector
import dev.carom.pool.LeasePolicy
import dev.carom.pool.PoolPolicy
import dev.carom.pool.fixedResolver

/** A connection to nowhere: what is measured is the pool alone. */
class Noop(val id: Int)

private object NoopConnector : Connector<Noop> {
    override suspend fun connect(backend: Backend): Noop = Noop(backend.port)

    override suspend fun close(connection: Noop) {}
}

/** Carom with [connections] ready connections, spread evenly over [backends], and every other number as delivered. */
@JvmOverloads
fun openCarom(connections: Int, backends: Int, lease: LeasePolicy = LeasePolicy()): BlockingPool<Noop> {
    val listed = Array(backends) { Backend("b$it", "192.0.2.1", it + 1) }
    val policy = PoolPolicy(
        spares = connections,
        maxSlots = connections,
        maxSlotsPerBackend = connections / backends,
        lease = lease,
    )
    val pool = BlockingPool.open("bench", fixedResolver(*listed), NoopConnector, policy)
    pool.awaitReady(connections)
    return pool
}

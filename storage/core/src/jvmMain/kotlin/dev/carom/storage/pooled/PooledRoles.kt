package dev.carom.storage.pooled

import dev.carom.pool.ClaimOptions
import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.Role
import dev.carom.storage.split.RoleLease
import dev.carom.storage.split.RoleSource
import dev.carom.storage.split.SessionRole
import kotlin.time.Duration.Companion.seconds

/**
 * A Carom pool as the source of sessions of a primary and its replicas: what a server is for, its connector's `probeRole`
 * says. Ends the pool when it is closed.
 *
 * @param S the session, which is the pool's connection.
 * @property pool whose connections these are. Its spares should be at least the number of servers: what a server is for is
 *   known of those that have a connection.
 * @param check looks at a session that was idle before it is lent; null: nobody looks.
 */
public class PooledRoles<S : Any>(public val pool: Pool<S>, private val check: IdleCheck<S>?) : RoleSource<S> {
    public constructor(pool: Pool<S>) : this(pool, null)

    override val capacity: Int get() = pool.policy.maxSlots

    // What is ready may be of the other role: the queue decides.
    override fun tryLease(role: SessionRole): RoleLease<S>? = null

    override suspend fun leasePrimary(holder: String): RoleLease<S> =
        alive(check) { pool.claim(ClaimOptions(holder, role = Role.Primary)) }

    override suspend fun leaseReplica(holder: String, except: Set<String>): RoleLease<S>? {
        while (hasReplica(except)) {
            val options =
                ClaimOptions(holder, timeout = LOOK_AGAIN, role = Role.Replica, accepts = { "$it" !in except })
            try {
                return alive(check) { pool.claim(options) }
            } catch (none: PoolException) {
                if (none is PoolException.Closed) throw none
                // All are busy, or the last one went away: one look tells.
            }
        }
        return null
    }

    private fun hasReplica(except: Set<String>): Boolean =
        pool.snapshot.value.backends.any { it.online && it.role == Role.Replica && "${it.backend}" !in except }

    override suspend fun close() {
        pool.close(0)
    }

    override fun toString(): String = "sessions of primary and replicas of $pool"

    private companion object {
        val LOOK_AGAIN = 1.seconds
    }
}

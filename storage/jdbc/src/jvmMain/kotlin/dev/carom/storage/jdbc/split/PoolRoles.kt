package dev.carom.storage.jdbc.split

import dev.carom.pool.Claim
import dev.carom.pool.ClaimOptions
import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.Role
import dev.carom.storage.jdbc.JdbcSession
import dev.carom.storage.split.RoleLease
import dev.carom.storage.split.RoleSource
import dev.carom.storage.split.SessionRole
import kotlin.time.Duration.Companion.seconds

/** The Carom pool as the source of sessions of primary and replicas. */
internal class PoolRoles(private val pool: Pool<JdbcSession>) : RoleSource<JdbcSession> {
    override val capacity: Int get() = pool.policy.maxSlots

    // What is ready may be of the other role: the queue decides.
    override fun tryLease(role: SessionRole): RoleLease<JdbcSession>? = null

    override suspend fun leasePrimary(holder: String): RoleLease<JdbcSession> =
        ClaimLease(pool.claim(ClaimOptions(holder, role = Role.Primary)))

    override suspend fun leaseReplica(holder: String, except: Set<String>): RoleLease<JdbcSession>? {
        while (hasReplica(except)) {
            val options =
                ClaimOptions(holder, timeout = LOOK_AGAIN, role = Role.Replica, accepts = { "$it" !in except })
            try {
                return ClaimLease(pool.claim(options))
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

    private class ClaimLease(private val claim: Claim<JdbcSession>) : RoleLease<JdbcSession> {
        override val server: String = "${claim.backend}"
        override val session: JdbcSession = claim.connection

        override fun report(cause: Throwable) {
            claim.report(cause)
        }

        override fun giveBack(): Unit = claim.close()

        override fun destroy(cause: Throwable?): Unit = claim.discard(cause)
    }

    private companion object {
        val LOOK_AGAIN = 1.seconds
    }
}

package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.Claim
import dev.carom.pool.ClaimOptions
import dev.carom.pool.Connector
import dev.carom.pool.Fault
import dev.carom.pool.Pool
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import dev.carom.storage.SessionLease
import dev.carom.storage.SessionSource
import kotlinx.coroutines.delay
import java.sql.SQLException
import kotlin.time.Duration
import kotlin.time.DurationUnit

/** Opens, checks and closes connections. A session comes back clean: the storage sees to that before it gives it back. */
internal open class JdbcConnector(
    protected val dialect: JdbcDialect,
    private val connect: JdbcConnect,
    protected val threads: JdbcThreads,
    private val pool: PoolPolicy,
    private val policy: JdbcPolicy = JdbcPolicy(),
) : Connector<JdbcSession> {
    override suspend fun connect(backend: Backend): JdbcSession = threads.work {
        val connection = connect.connect(backend)
        try {
            JdbcSession(connection, dialect, policy.checkInterval).also { it.setUp() }
        } catch (failure: SQLException) {
            connection.close()
            throw failure
        }
    }

    override suspend fun isValid(connection: JdbcSession): Boolean = threads.work {
        connection.connection.isValid(pool.checkTimeout.toInt(DurationUnit.SECONDS).coerceAtLeast(1))
    }

    override fun classify(cause: Throwable): Fault = when {
        cause is DemotedException -> Fault.Demoted
        cause is SQLException && cause.sqlState.orEmpty().startsWith("28") -> Fault.Authentication
        else -> Fault.Broken
    }

    override suspend fun close(connection: JdbcSession) {
        threads.control { connection.connection.close() }
        val cut = connection.cutOff ?: return
        if (dialect.lingers) (policy.linger - cut.elapsedNow()).takeIf { it > Duration.ZERO }?.let { delay(it) }
    }
}

/** One that asks its servers what they are for. */
internal class RoleConnector(
    dialect: JdbcDialect,
    connect: JdbcConnect,
    threads: JdbcThreads,
    pool: PoolPolicy,
    policy: JdbcPolicy,
) : JdbcConnector(dialect, connect, threads, pool, policy) {
    override suspend fun probeRole(connection: JdbcSession): Role = threads.work {
        connection.connection.createStatement().use { statement ->
            statement.executeQuery(dialect.roleSql).use {
                if (it.next() &&
                    it.getBoolean(1)
                ) {
                    Role.Replica
                } else {
                    Role.Primary
                }
            }
        }
    }
}

/** The Carom pool as the source of sessions. */
internal class PoolSessions(private val pool: Pool<JdbcSession>, private val role: Role? = null) :
    SessionSource<JdbcSession> {
    override val capacity: Int get() = pool.policy.maxSlots

    // What is ready may be of another role: then the queue decides.
    override fun tryLease(): SessionLease<JdbcSession>? = if (role == null) pool.tryClaim()?.let(::ClaimLease) else null

    override suspend fun lease(holder: String): SessionLease<JdbcSession> =
        ClaimLease(if (role == null) pool.claim(holder) else pool.claim(ClaimOptions(holder, role = role)))

    override suspend fun close() {
        pool.close(0)
    }

    private class ClaimLease(private val claim: Claim<JdbcSession>) : SessionLease<JdbcSession> {
        override val session: JdbcSession = claim.connection

        override fun giveBack(): Unit = claim.close()

        override fun destroy(cause: Throwable?): Unit = claim.discard(cause)
    }
}

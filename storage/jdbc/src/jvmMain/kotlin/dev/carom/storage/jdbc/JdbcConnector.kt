package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import dev.carom.pool.Fault
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import dev.carom.storage.ErrorCategory
import dev.carom.storage.jdbc.split.JdbcRole
import dev.carom.storage.pooled.IdleCheck
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.delay
import java.sql.SQLException

/** Opens, checks and closes connections. A session comes back clean: the storage sees to that before it gives it back. */
internal open class JdbcConnector(
    protected val dialect: JdbcDialect,
    private val connect: JdbcConnect,
    protected val threads: JdbcThreads,
    protected val pool: PoolPolicy,
    private val policy: JdbcPolicy = JdbcPolicy(),
) : Connector<JdbcSession> {
    override suspend fun connect(backend: Backend): JdbcSession = threads.open(pool.closeTimeout, threads::dismiss) {
        val connection = connect.connect(backend)
        try {
            JdbcSession(connection, dialect, policy.checkInterval).also { it.setUp() }
        } catch (failure: SQLException) {
            connection.close()
            throw failure
        }
    }

    override suspend fun isValid(connection: JdbcSession): Boolean = threads.work {
        connection.answers(pool.checkTimeout)
    }

    override fun classify(cause: Throwable): Fault = when {
        cause is DemotedException -> Fault.Demoted

        cause is SQLException && cause.sqlState.orEmpty().startsWith("28") -> Fault.Authentication

        // Of a database that nobody else could write to either.
        cause is SQLException && dialect.classify(cause).category == ErrorCategory.READ_ONLY -> Fault.None

        else -> Fault.Broken
    }

    override suspend fun close(connection: JdbcSession) {
        threads.end { connection.connection.close() }
        val cut = connection.cutOff?.await() ?: return
        if (dialect.lingers) delay(policy.linger - cut.elapsedNow())
    }
}

/** One that asks its servers what they are for, and takes a refused write for a demotion. */
internal class RoleConnector(
    dialect: JdbcDialect,
    connect: JdbcConnect,
    threads: JdbcThreads,
    pool: PoolPolicy,
    policy: JdbcPolicy,
    private val role: JdbcRole = JdbcRole.of(dialect),
) : JdbcConnector(dialect, connect, threads, pool, policy) {
    override suspend fun probeRole(connection: JdbcSession): Role = try {
        val isReplica = threads.ask(pool.closeTimeout) { role.isReplica(connection.connection) }
        if (isReplica) Role.Replica else Role.Primary
    } catch (e: CancellationException) {
        // Left alone with a server that is silent: this ends it, and the pool need not close what is in use.
        threads.abort(connection)
        throw e
    }

    override fun classify(cause: Throwable): Fault {
        val failures = generateSequence(cause) { it.cause }.filterIsInstance<SQLException>().take(DEPTH)
        return if (failures.any(::refusesWrites)) Fault.Demoted else super.classify(cause)
    }

    private fun refusesWrites(failure: SQLException) =
        failure.sqlState == READ_ONLY || failure.errorCode in MYSQL_READ_ONLY

    private companion object {
        /** Causes looked at: a chain may be a circle. */
        const val DEPTH = 8
        const val READ_ONLY = "25006"

        /** H2 has its own number for it, 90097. */
        val MYSQL_READ_ONLY = setOf(1290, 1792, 1836, 90097)
    }
}

/** Asks a connection that was idle for longer than [JdbcPolicy.validateAfter] whether it is still there. */
internal class JdbcIdleCheck(private val threads: JdbcThreads, private val pool: PoolPolicy, policy: JdbcPolicy) :
    IdleCheck<JdbcSession> {
    private val after = policy.validateAfter

    override fun isDue(session: JdbcSession): Boolean = session.idleSince.elapsedNow() > after

    override suspend fun isAlive(session: JdbcSession): Boolean = threads.work { session.answers(pool.checkTimeout) }

    companion object {
        fun of(threads: JdbcThreads, pool: PoolPolicy, policy: JdbcPolicy): JdbcIdleCheck? =
            if (policy.validateAfter.isFinite()) JdbcIdleCheck(threads, pool, policy) else null
    }
}

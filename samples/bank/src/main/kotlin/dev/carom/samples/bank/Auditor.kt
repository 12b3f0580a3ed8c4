package dev.carom.samples.bank

import java.sql.Connection
import java.sql.DriverManager
import java.sql.SQLException
import java.util.UUID
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Looks at the server from outside the pool. Survives its restarts. */
class Auditor(private val server: Server, private val application: String) : AutoCloseable {
    private val most = AtomicInteger()
    private var connection: Connection? = null

    /** Most server processes seen at once that serve [application]. */
    val mostBackends: Int get() = most.get()

    /** Looks once; nothing is seen while the server is away. */
    @Synchronized
    fun look() {
        try {
            val now = number("select count(*) from pg_stat_activity where application_name = '$application'").toInt()
            most.accumulateAndGet(now, ::maxOf)
        } catch (_: SQLException) {
            // It is being restarted.
            forget()
        }
    }

    @Synchronized
    fun money(): Long = number("select sum(balance)::bigint from account")

    @Synchronized
    fun idleInTransaction(): Long =
        number(
            "select count(*) from pg_stat_activity where application_name = '$application' and state like 'idle in%'",
        )

    /** Statements of the pool that run although nobody waits for them. */
    @Synchronized
    fun running(): Long =
        number("select count(*) from pg_stat_activity where application_name = '$application' and state = 'active'")

    /** Waits until the pool leaves the server alone, 30 s at most: what has ended there may not be shown yet. */
    fun awaitQuiet() {
        val start = TimeSource.Monotonic.markNow()
        while (idleInTransaction() + running() > 0 && start.elapsedNow() < MOST_WAITING) Thread.sleep(PAUSE_MILLIS)
    }

    @Synchronized
    fun book(): Set<UUID> = opened().createStatement().use { statement ->
        statement.executeQuery("select id from book").use { result ->
            buildSet { while (result.next()) add(result.getObject(1) as UUID) }
        }
    }

    private fun number(sql: String): Long = opened().createStatement().use { statement ->
        statement.executeQuery(sql).use { it.next().run { it.getLong(1) } }
    }

    private fun opened(): Connection =
        connection ?: DriverManager.getConnection(server.url("auditor")).also { connection = it }

    private fun forget() {
        try {
            connection?.close()
        } catch (_: SQLException) {
            // It is lost already.
        }
        connection = null
    }

    @Synchronized
    override fun close() = forget()

    private companion object {
        val MOST_WAITING = 30.seconds
        const val PAUSE_MILLIS = 5L
    }
}

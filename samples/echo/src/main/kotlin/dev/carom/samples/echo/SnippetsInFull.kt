package dev.carom.samples.echo

import dev.carom.pool.ClaimOptions
import dev.carom.pool.LeasePolicy
import dev.carom.pool.OutlierPolicy
import dev.carom.pool.PlacementPolicy
import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.PoolPolicy
import dev.carom.pool.QueuePolicy
import dev.carom.pool.Resolver
import dev.carom.pool.Role
import dev.carom.pool.net.TcpConnection
import dev.carom.pool.net.TcpConnector
import dev.carom.pool.net.TcpPolicy
import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import dev.carom.pool.openConnectionSet
import dev.carom.pool.openPersistent
import dev.carom.pool.openPool
import dev.carom.pool.use
import io.ktor.utils.io.readLine
import io.ktor.utils.io.writeStringUtf8
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** What the README shows of the pool in full, compiled. */
object SnippetsInFull {
    // snippet: kotlin-policy
    val policy = PoolPolicy(
        maxSlots = 64,
        queue = QueuePolicy.ControlledDelay(target = 50.milliseconds), // sheds load instead of letting everybody wait
        reserved = 1, // for claims with ClaimOptions(reserved = true): health checks never queue behind traffic
        lease = LeasePolicy(warnAfter = 30.seconds, abortAfter = 5.minutes, sites = 100),
        outlier = OutlierPolicy(failuresInARow = 5, maxEjected = 0.5),
        placement = PlacementPolicy(zone = "eu-west-1a", spillBelow = 0.5, subset = 20),
    )
    // end

    // snippet: kotlin-options
    suspend fun write(pool: Pool<TcpConnection>, line: String) {
        val options = ClaimOptions(role = Role.Primary, timeout = 2.seconds, tags = mapOf("request" to "42"))
        try {
            pool.claim(options).use { claim ->
                try {
                    claim.connection.output.writeStringUtf8("$line\n")
                    claim.connection.output.flush()
                } catch (e: java.io.IOException) {
                    claim.discard(e) // and the backend's other idle connections are checked before they are lent
                }
            }
        } catch (e: PoolException) {
            println(e.explanation) // each backend and why not that one, who holds connections, and where they claimed
        }
    }
    // end

    // snippet: kotlin-set
    suspend fun persistent(resolver: Resolver): String? = coroutineScope {
        val set = openConnectionSet("nodes", resolver, TcpConnector()) // one live connection per backend, shared
        set.awaitReady()
        val answer = set.use { connection ->
            connection.output.writeStringUtf8("hello\n")
            connection.output.flush()
            connection.input.readLine()
        }
        val events = openPersistent("events", resolver, TcpConnector(), { connection, line: String ->
            connection.output.writeStringUtf8("$line\n")
            connection.output.flush()
        })
        events.put("queued, connected or not")
        events.send("written when this returns")
        events.close() // writes what is left, within a grace
        set.close()
        answer
    }
    // end

    // snippet: kotlin-tls
    fun CoroutineScope.secured(resolver: Resolver): Pool<TcpConnection> {
        val tls = TlsPolicy(
            trust = TlsTrust.pem(Path.of("/etc/shop/ca.pem")),
            // Read again when the files are replaced.
            key = TlsKey.pem(Path.of("/etc/shop/client.pem"), Path.of("/etc/shop/client.key")),
        )
        return openPool("db", resolver, TcpConnector(TcpPolicy(), tls))
    }
    // end
}

package dev.carom.pool.net

import dev.carom.pool.Backend
import dev.carom.pool.BackoffPolicy
import dev.carom.pool.Connector
import dev.carom.pool.Pool
import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.pool.fixedResolver
import dev.carom.pool.openPool
import dev.carom.pool.testkit.Fault
import dev.carom.pool.testkit.FaultProxy
import dev.carom.pool.use
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.ktor.utils.io.readByteArray
import io.ktor.utils.io.writeByteArray
import jdk.net.ExtendedSocketOptions
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Peers that are there and are not, behind a real pool and real sockets. */
class HalfOpenPoolTest :
    FunSpec({
        val ping = byteArrayOf(42)

        /** One byte there and back. */
        suspend fun TcpConnection.ping() {
            output.writeByteArray(ping)
            output.flush()
            input.readByteArray(1) shouldBe ping
        }

        /** A protocol that greets on connect, and whose health check asks the peer. */
        class Pinging(private val tcp: TcpConnector) : Connector<TcpConnection> {
            override suspend fun connect(backend: Backend): TcpConnection {
                val connection = tcp.connect(backend)
                var greeted = false
                try {
                    connection.ping()
                    greeted = true
                } finally {
                    if (!greeted) withContext(NonCancellable) { tcp.close(connection) }
                }
                return connection
            }

            override suspend fun isValid(connection: TcpConnection): Boolean {
                if (!tcp.isValid(connection)) return false
                connection.ping()
                return true
            }

            override suspend fun awaitClosed(connection: TcpConnection) = tcp.awaitClosed(connection)

            override suspend fun close(connection: TcpConnection) = tcp.close(connection)
        }

        val connector = Pinging(TcpConnector(TcpPolicy(connectTimeout = 60.seconds, closeTimeout = 100.milliseconds)))

        fun policy(spares: Int = 4, healthInterval: Duration = Duration.INFINITE) = PoolPolicy(
            spares = spares,
            maxSlots = 8,
            healthInterval = healthInterval,
            healthReserve = 0,
            checkTimeout = 200.milliseconds,
            connectTimeout = 60.seconds,
            closeTimeout = 10.seconds,
            claimTimeout = 10.seconds,
            backoff = BackoffPolicy(start = 20.milliseconds, max = 100.milliseconds),
        )

        /** Two echo servers, each behind a proxy; afterwards nothing is left. */
        suspend fun twoBackends(
            use: suspend CoroutineScope.(List<FaultProxy>, List<Backend>) -> Unit,
        ) = leavingNothing {
            val servers = List(2) { TlsPeer.plain(TlsPeer::echo) }
            val proxies = servers.map { FaultProxy(it.address) }
            val backends = proxies.mapIndexed { i, proxy -> servers[i].backend("b$i", proxy.address) }
            val scope = CoroutineScope(Dispatchers.Default + SupervisorJob())
            try {
                withTimeout(60.seconds) { scope.use(proxies, backends) }
            } finally {
                scope.cancel()
                scope.coroutineContext[Job]!!.children.forEach { it.join() }
                (proxies + servers).forEach { it.close() }
            }
        }

        /** Nor one that is being checked: it may have been answered before the fault, and be ready once more. */
        suspend fun Pool<TcpConnection>.noneLeftAt(backend: Backend) =
            snapshot.first { it.backends.any { b -> b.backend == backend && b.connected == 0 } }

        test("a backend that falls silent is found out by its health checks, and no claim of the other waits for it") {
            twoBackends { (silent, _), (bad, good) ->
                val pool = openPool("half-open", fixedResolver(bad, good), connector, policy(4, 100.milliseconds))
                pool.awaitReady(4)
                pool.use { it.ping() }
                silent.fault = Fault.BLACK_HOLE
                // Interval and check: 300 ms, and twice that for a busy machine; those in use are not checked.
                withTimeout(10.seconds) { pool.noneLeftAt(bad) }
                repeat(200) {
                    pool.claim().also { claim ->
                        claim.backend shouldBe good
                        claim.connection.ping()
                        claim.close()
                    }
                }
                silent.fault = Fault.PASS
                eventually(10.seconds) {
                    pool.snapshot.value.backends.first { it.backend == bad }.ready shouldBeGreaterThan
                        0
                }
                pool.close(0).stuck shouldBe 0
            }
        }

        test("a connect that never completes delays neither connects to the others nor claims") {
            twoBackends { (dead, _), (bad, good) ->
                dead.acceptNothing()
                val started = TimeSource.Monotonic.markNow()
                val pool = openPool("half-open", fixedResolver(bad, good), connector, policy())
                pool.claim().use { it.backend shouldBe good }
                // Far below any timeout of the connect that hangs, which is 60 s.
                started.elapsedNow() shouldBeLessThan 30.seconds
                pool.close(0)
            }
        }

        test("a connect that never completes ends when its backend is removed") {
            twoBackends { (dead, _), (bad, good) ->
                dead.acceptNothing()
                val listed = MutableStateFlow(setOf(bad, good))
                val pool = openPool("half-open", listed.asResolver(), connector, policy())
                pool.awaitReady()
                listed.value = setOf(good)
                withTimeout(10.seconds) { pool.snapshot.first { s -> s.backends.none { it.backend == bad } } }
                pool.close(0)
            }
        }

        test("a pool closes in time although its peers never answer, idle and lent connections alike") {
            for (fault in listOf(Fault.NEVER_FIN, Fault.BLACK_HOLE)) {
                twoBackends { proxies, backends ->
                    val pool = openPool("half-open", fixedResolver(*backends.toTypedArray()), connector, policy())
                    pool.awaitReady(4)
                    val lent = pool.claim()
                    proxies.forEach { it.fault = fault }
                    // More than the system's buffers take: the rest can never be sent.
                    withTimeoutOrNull(200.milliseconds) {
                        lent.connection.output.writeByteArray(ByteArray(16 * 1024 * 1024))
                    }
                    val started = TimeSource.Monotonic.markNow()
                    pool.close(0)
                    started.elapsedNow() shouldBeLessThan pool.policy.closeTimeout + 5.seconds
                    lent.close()
                }
            }
        }

        test("the system is asked to probe idle peers, where it can") {
            twoBackends { _, (backend, _) ->
                val tcp =
                    TcpConnector(
                        TcpPolicy(keepAliveIdle = 7.seconds, keepAliveInterval = 2.seconds, keepAliveCount = 4),
                    )
                val connection = tcp.connect(backend)
                val supported = connection.channel.supportedOptions()
                val expected = mapOf(
                    ExtendedSocketOptions.TCP_KEEPIDLE to 7,
                    ExtendedSocketOptions.TCP_KEEPINTERVAL to 2,
                    ExtendedSocketOptions.TCP_KEEPCOUNT to 4,
                ).filterKeys { it in supported }
                expected.mapValues { (option, _) -> connection.channel.getOption(option) } shouldBe expected
                tcp.close(connection)
            }
        }
    })

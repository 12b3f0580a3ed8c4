package dev.carom.pool.net

import dev.carom.pool.AuthenticationFailed
import dev.carom.pool.Backend
import dev.carom.pool.BackoffPolicy
import dev.carom.pool.Connector
import dev.carom.pool.Credentials
import dev.carom.pool.CredentialsProvider
import dev.carom.pool.PoolException
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Secret
import dev.carom.pool.fixedResolver
import dev.carom.pool.openPool
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.ktor.utils.io.readByte
import io.ktor.utils.io.writeByteArray
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Passwords that change under a pool, and one that is wrong, with a small protocol: `user password\n`, then one byte. */
class LoginPoolTest :
    FunSpec({
        val canary = "c4n4ry-p@ss/w:rd"

        /** Accepts the current password and the one before, as vaults that rotate do. */
        class Server {
            @Volatile
            var accepted: List<String> = emptyList()
            val logins = AtomicInteger()
            val refused = AtomicInteger()

            fun serve(socket: Socket) {
                val input = socket.getInputStream().bufferedReader()
                logins.incrementAndGet()
                val line = input.readLine() ?: return
                val ok = line.substringAfter(' ') in accepted
                if (!ok) refused.incrementAndGet()
                socket.getOutputStream().write(if (ok) '+'.code else '-'.code)
                while (ok && input.readLine() != null) socket.getOutputStream().write('.'.code)
            }
        }

        class LoggingIn(private val provider: CredentialsProvider) : Connector<TcpConnection> {
            private val tcp = TcpConnector()

            override suspend fun connect(backend: Backend): TcpConnection {
                val credentials = provider.credentials(backend)
                val connection = tcp.connect(backend)
                var loggedIn = false
                try {
                    connection.output.writeByteArray(
                        "${credentials.user} ${credentials.password.reveal()}\n".encodeToByteArray(),
                    )
                    connection.output.flush()
                    if (connection.input.readByte() != '+'.code.toByte()) {
                        throw AuthenticationFailed("$backend refused ${credentials.user}, $credentials")
                    }
                    loggedIn = true
                } finally {
                    if (!loggedIn) withContext(NonCancellable) { tcp.close(connection) }
                }
                return connection
            }

            override suspend fun awaitClosed(connection: TcpConnection) = tcp.awaitClosed(connection)

            override suspend fun close(connection: TcpConnection) = tcp.close(connection)
        }

        suspend fun withServer(use: suspend CoroutineScope.(Server, Backend) -> Unit) = leavingNothing {
            val server = Server()
            TlsPeer.plain(server::serve).use { peer ->
                val scope = CoroutineScope(Dispatchers.Default + Job())
                try {
                    withTimeout(60.seconds) { scope.use(server, peer.backend("db")) }
                } finally {
                    scope.cancel()
                    scope.coroutineContext[Job]!!.join()
                }
            }
        }

        test("passwords rotate every 100 ms under load, and no claim fails") {
            withServer { server, backend ->
                var current = Secret.of("$canary-0")
                server.accepted = listOf(current.reveal())
                val pool = openPool(
                    "rotating",
                    fixedResolver(backend),
                    LoggingIn { Credentials("app", current) },
                    PoolPolicy(
                        spares = 4,
                        maxSlots = 8,
                        claimTimeout = 20.seconds,
                        // Whoever was so slow to log in that its password is not the last but one tries again soon.
                        authBackoff = BackoffPolicy(start = 20.milliseconds, max = 100.milliseconds),
                    ),
                )
                coroutineScope {
                    val load = List(4) {
                        launch {
                            while (true) {
                                val claim = pool.claim()
                                claim.connection.output.writeByteArray("ping\n".encodeToByteArray())
                                claim.connection.output.flush()
                                claim.connection.input.readByte() shouldBe '.'.code.toByte()
                                // As if its lifetime were over: the next one logs in anew.
                                claim.discard()
                            }
                        }
                    }
                    repeat(15) { round ->
                        delay(100.milliseconds)
                        val next = Secret.of("$canary-${round + 1}")
                        server.accepted = listOf(next.reveal(), current.reveal())
                        current = next
                    }
                    eventually(30.seconds) { server.logins.get() shouldBeGreaterThan 15 }
                    load.forEach { it.cancel() }
                }
                pool.snapshot.value.refused shouldBe 0
                pool.close(0)
            }
        }

        test("a wrong password is tried seldom, and appears nowhere") {
            withServer { server, backend ->
                val text = CopyOnWriteArrayList<String>()
                val pool = openPool(
                    "locked out",
                    fixedResolver(backend),
                    LoggingIn { Credentials("app", Secret.of(canary)) },
                    PoolPolicy(claimTimeout = 1.seconds, connectTimeout = 60.seconds),
                )
                val notices =
                    launch(start = CoroutineStart.UNDISPATCHED) { pool.notices.collect { text += it.toString() } }
                pool.snapshot.first { it.backends.any { b -> b.failures > 0 } }
                val failure = shouldThrow<PoolException.NoneOnline> { pool.claim() }
                failure.lastErrors.getValue(backend).shouldBeInstanceOf<AuthenticationFailed>()
                server.refused.get() shouldBeLessThanOrEqual 4
                text += failure.stackTraceToString()
                text += pool.snapshot.value.backends.map { "$it ${it.lastError}" }
                pool.close(0)
                notices.join()
                for (written in text) written shouldNotContain "c4n4ry"
            }
        }
    })

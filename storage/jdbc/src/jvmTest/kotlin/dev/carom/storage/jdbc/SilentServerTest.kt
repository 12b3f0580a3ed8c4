package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import dev.carom.pool.asResolver
import dev.carom.pool.testkit.LeakCheckListener
import dev.carom.storage.jdbc.split.JdbcRole
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.lang.reflect.Proxy
import java.sql.Connection
import java.sql.SQLException
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

private val HERE = Backend("silent", "localhost", 1)
private val numbers = PoolPolicy(1, 1, closeTimeout = 50.milliseconds)
private val jdbc = JdbcPolicy(checkInterval = 0.seconds)

/** A server that accepts connections and then says nothing, with a driver that waits for it without a limit. */
class SilentServerTest :
    FunSpec({
        extension(LeakCheckListener())

        /** Runs [block]; whatever hangs is let go at its end. */
        suspend fun silent(block: suspend (Silence) -> Unit) = withContext(Dispatchers.Default) {
            val silence = Silence()
            try {
                withTimeout(1.minutes) { block(silence) }
            } finally {
                silence.over.complete(Unit)
            }
        }

        test(
            "a connection that hangs as it is opened does not hold up the pool's end, and is closed if it comes after all",
        ) {
            silent { silence ->
                coroutineScope {
                    val resolver = flowOf(setOf(HERE)).asResolver()
                    val pool = openJdbc("silent", JdbcDialect.OTHER, resolver, silence::connect, numbers, jdbc = jdbc)
                    silence.hangs.await()
                    pool.close(0)
                }
                silence.closed.isCompleted shouldBe false
                silence.over.complete(Unit)
                silence.closed.await()
            }
        }

        test("one that comes while its caller is about to leave is the caller's") {
            silent { silence ->
                val patient = PoolPolicy(1, 1, closeTimeout = 20.seconds)
                val connector =
                    JdbcConnector(JdbcDialect.OTHER, silence::connect, JdbcThreads(1, JdbcDialect.OTHER), patient, jdbc)
                coroutineScope {
                    val got = CompletableDeferred<JdbcSession>()
                    val opening = launch(start = CoroutineStart.UNDISPATCHED) { got.complete(connector.connect(HERE)) }
                    silence.hangs.await()
                    opening.cancel()
                    silence.over.complete(Unit)
                    got.await()
                    silence.closed.isCompleted shouldBe false
                }
            }
        }

        test("threads that hang as they open connections are not those that work") {
            silent { silence ->
                val threads = JdbcThreads(1, JdbcDialect.OTHER)
                val connector = JdbcConnector(JdbcDialect.OTHER, silence::connect, threads, numbers, jdbc)
                coroutineScope {
                    val opening = launch(start = CoroutineStart.UNDISPATCHED) { connector.connect(HERE) }
                    silence.hangs.await()
                    threads.work { 1 } shouldBe 1
                    opening.cancelAndJoin()
                }
            }
        }

        test("one that waited behind it until its caller had left is not begun") {
            silent { silence ->
                val threads = JdbcThreads(1, JdbcDialect.OTHER)
                val connector = JdbcConnector(JdbcDialect.OTHER, silence::connect, threads, numbers, jdbc)
                coroutineScope {
                    val hanging = launch(start = CoroutineStart.UNDISPATCHED) { connector.connect(HERE) }
                    silence.hangs.await()
                    launch(start = CoroutineStart.UNDISPATCHED) { connector.connect(HERE) }.cancelAndJoin()
                    hanging.cancelAndJoin()
                    silence.over.complete(Unit)
                    // After both, on the only thread.
                    threads.open(20.seconds, {}) { silence.calls.get() } shouldBe 1
                }
            }
        }

        test("a role is asked while connections hang") {
            silent { silence ->
                val threads = JdbcThreads(1, JdbcDialect.OTHER)
                val connector =
                    RoleConnector(JdbcDialect.OTHER, silence::connect, threads, numbers, jdbc, { true })
                coroutineScope {
                    val hanging = launch(start = CoroutineStart.UNDISPATCHED) { connector.connect(HERE) }
                    silence.hangs.await()
                    connector.probeRole(JdbcSession(silence.connection(), JdbcDialect.OTHER)) shouldBe Role.Replica
                    hanging.cancelAndJoin()
                }
            }
        }

        test("a connection whose role is asked in vain is cut off") {
            silent { silence ->
                silence.over.complete(Unit)
                val asked = CompletableDeferred<Unit>()
                val cutOff = CompletableDeferred<Unit>()
                val role = JdbcRole {
                    asked.complete(Unit)
                    runBlocking { cutOff.await() }
                    throw SQLException("cut off", "08006")
                }
                silence.onAbort = { cutOff.complete(Unit) }
                val threads = JdbcThreads(1, JdbcDialect.OTHER)
                val connector =
                    RoleConnector(JdbcDialect.OTHER, silence::connect, threads, numbers, jdbc, role)
                val session = connector.connect(HERE)
                coroutineScope {
                    val probe = launch(start = CoroutineStart.UNDISPATCHED) { connector.probeRole(session) }
                    asked.await()
                    probe.cancelAndJoin()
                    cutOff.await()
                }
            }
        }

        test("what the driver throws is what is told") {
            silent {
                val refused = SQLException("no", "28000", 7)
                val connector =
                    JdbcConnector(JdbcDialect.OTHER, {
                        throw refused
                    }, JdbcThreads(1, JdbcDialect.OTHER), numbers, jdbc)
                shouldThrow<SQLException> { connector.connect(HERE) }.run {
                    sqlState shouldBe "28000"
                    errorCode shouldBe 7
                }
            }
        }
    })

/** Until it is [over], no connection comes. */
private class Silence {
    val over = CompletableDeferred<Unit>()
    val hangs = CompletableDeferred<Unit>()
    val closed = CompletableDeferred<Unit>()

    @Volatile var onAbort: () -> Unit = {}

    val calls = AtomicInteger()

    fun connect(backend: Backend): Connection {
        check(backend == HERE)
        calls.incrementAndGet()
        hangs.complete(Unit)
        runBlocking { over.await() }
        return connection()
    }

    fun connection(): Connection =
        Proxy.newProxyInstance(javaClass.classLoader, arrayOf(Connection::class.java)) { _, method, _ ->
            when (method.name) {
                "close" -> closed.complete(Unit).let { null }
                "abort" -> onAbort().let { null }
                "getAutoCommit", "isValid" -> true
                else -> null
            }
        } as Connection
}

package dev.carom.pool.net

import dev.carom.pool.Backend
import dev.carom.pool.net.internal.Addresses
import dev.carom.pool.net.internal.literalOrNull
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import java.net.InetAddress
import java.net.UnknownHostException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Semaphore
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class TcpConnectTest :
    FunSpec({
        val connector = TcpConnector(TcpPolicy(connectTimeout = 10.seconds))
        val hasty = TcpConnector(TcpPolicy(connectTimeout = 100.milliseconds))
        val noLookup = Addresses { error("$it was looked up") }

        test("a connector that connects nothing has no thread and no descriptor") {
            leavingNothing { TcpConnector() }
        }

        test("nobody listening is a refusal that names the backend and the address") {
            leavingNothing {
                val backend = Loopback.tcp().use { it.backend }
                val failure = shouldThrow<TcpException.Refused> { connector.connect(backend) }
                failure.message shouldBe "$backend refused the connection at 127.0.0.1:${backend.port}"
                failure.backend shouldBe backend
            }
        }

        test("a Unix-domain socket that is not there is a failure that names its path") {
            leavingNothing {
                val failure = shouldThrow<TcpException> { connector.connect(Backend("peer", "/nowhere/peer.sock", 0)) }
                failure.message shouldContain "/nowhere/peer.sock"
            }
        }

        test("a host that never answers is given up after the connect timeout") {
            leavingNothing {
                Loopback.tcp(Loopback.BACKLOG).use { server ->
                    server.fill()
                    val failure = shouldThrow<TcpException.TimedOut> { hasty.connect(server.backend) }
                    failure.message shouldBe
                        "${server.backend} did not accept at 127.0.0.1:${server.backend.port} within 100ms"
                }
            }
        }

        test("a host that never answers does not hold up connects to another one") {
            leavingNothing {
                Loopback.tcp(Loopback.BACKLOG).use { hole ->
                    Loopback.tcp().use { server ->
                        hole.fill()
                        coroutineScope {
                            val stuck = launch(start = CoroutineStart.UNDISPATCHED) { connector.connect(hole.backend) }
                            connector.close(connector.connect(server.backend))
                            stuck.isActive shouldBe true
                            stuck.cancel()
                        }
                    }
                }
            }
        }

        test("a connect that is cancelled while it waits leaves no socket") {
            leavingNothing {
                Loopback.tcp(Loopback.BACKLOG).use { server ->
                    server.fill()
                    val before = descriptors()
                    coroutineScope {
                        repeat(20) {
                            launch(start = CoroutineStart.UNDISPATCHED) { connector.connect(server.backend) }.cancel()
                        }
                    }
                    eventually(30.seconds) { descriptors() shouldBeLessThanOrEqual before }
                }
            }
        }

        test("a connect that is cancelled at any moment, also as the peer accepts, leaves no socket") {
            leavingNothing {
                Loopback.tcp().use { server ->
                    repeat(400) { round ->
                        val opened = AtomicReference<TcpConnection>()
                        coroutineScope {
                            val connect = launch(Dispatchers.Default) { opened.set(connector.connect(server.backend)) }
                            repeat(round) { yield() }
                            connect.cancel()
                        }
                        opened.get()?.let { connector.close(it) }
                    }
                    server.acceptAll().forEach { peer ->
                        peer.socket().soTimeout = 30_000
                        // An end or a reset; a timeout would be a socket that is still open.
                        val end = runCatching { peer.socket().getInputStream().read() }
                        end.exceptionOrNull()?.message.orEmpty() shouldBe
                            if (end.isSuccess) "" else "Connection reset"
                    }
                }
            }
        }

        test("a thousand connections, opened and closed beside one that stays, leave no descriptor and no thread") {
            leavingNothing {
                Loopback.tcp().use { server ->
                    val stays = connector.connect(server.backend)
                    val peer = server.accept()
                    val before = descriptors()
                    repeat(20) {
                        coroutineScope {
                            val opening = List(50) { async(Dispatchers.Default) { connector.connect(server.backend) } }
                            val opened = opening.awaitAll()
                            repeat(50) { server.accept().close() }
                            opened.forEach { launch(Dispatchers.Default) { connector.close(it) } }
                        }
                    }
                    eventually(30.seconds) { descriptors() shouldBeLessThanOrEqual before }
                    selectorThreads() shouldHaveSize 1
                    stays.isOpen shouldBe true
                    peer.close()
                    connector.awaitClosed(stays)
                    connector.close(stays)
                }
            }
        }

        test("connections of one connector share a thread, which ends with the last and starts again on demand") {
            leavingNothing {
                Loopback.tcp().use { server ->
                    val first = connector.connect(server.backend)
                    val second = connector.connect(server.backend)
                    val thread = selectorThreads().single()
                    connector.close(first)
                    selectorThreads().single() shouldBe thread
                    connector.close(second)
                    eventually(30.seconds) { thread.isAlive shouldBe false }
                    val third = connector.connect(server.backend)
                    selectorThreads().single() shouldNotBe thread
                    connector.close(third)
                }
            }
        }

        test("a name is resolved away from the caller's thread, and its addresses are tried in order") {
            leavingNothing {
                val asked = CompletableDeferred<String>()
                val byName = TcpConnector(
                    TcpPolicy(),
                    Addresses {
                        asked.complete(Thread.currentThread().name)
                        listOf(InetAddress.getByName("::1"), InetAddress.getByName("127.0.0.1"))
                    },
                )
                Loopback.tcp().use { server ->
                    val connection = byName.connect(Backend("peer", "peer.example", server.backend.port))
                    asked.await() shouldNotBe Thread.currentThread().name
                    connection.remoteAddress shouldBe "127.0.0.1:${server.backend.port}"
                    byName.close(connection)
                }
            }
        }

        test("localhost is resolved by the system") {
            leavingNothing {
                Loopback.tcp().use { server ->
                    connector.close(connector.connect(Backend("localhost", "localhost", server.backend.port)))
                }
            }
        }

        test("a lookup that hangs does not hold a cancelled caller, and is bounded by the connect timeout") {
            leavingNothing {
                val gate = CountDownLatch(1)
                val asked = Semaphore(0)
                val hanging = Addresses {
                    asked.release()
                    gate.awaitUninterruptibly()
                    listOf(InetAddress.getLoopbackAddress())
                }
                val backend = Backend("peer", "peer.example", 1)
                try {
                    withTimeout(60.seconds) {
                        val patient = TcpConnector(TcpPolicy(connectTimeout = 600.seconds), hanging)
                        val caller = launch { patient.connect(backend) }
                        runInterruptible(Dispatchers.IO) { asked.acquire() }
                        caller.cancelAndJoin()
                    }
                    val bounded = TcpConnector(TcpPolicy(connectTimeout = 100.milliseconds), hanging)
                    val failure = shouldThrow<TcpException.UnknownHost> { bounded.connect(backend) }
                    failure.message shouldContain "no answer within 100ms"
                } finally {
                    gate.countDown()
                }
            }
        }

        test("a name without an address is an error that says so, and every refused address is told") {
            leavingNothing {
                val nameless = TcpConnector(TcpPolicy(), Addresses { throw UnknownHostException(it) })
                shouldThrow<TcpException.UnknownHost> { nameless.connect(Backend("peer", "peer.example", 1)) }
                    .message shouldContain "peer.example"
                val port = Loopback.tcp().use { it.backend.port }
                val twice = TcpConnector(TcpPolicy(), Addresses { List(2) { InetAddress.getByName("127.0.0.1") } })
                val failure = shouldThrow<TcpException.Refused> { twice.connect(Backend("peer", "peer.example", port)) }
                failure.suppressed.single().shouldBeInstanceOf<TcpException.Refused>()
            }
        }

        test("an address is never looked up") {
            listOf("127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "::ffff:10.0.0.7", "255.0.10.99").forEach {
                noLookup.of(it).single() shouldBe InetAddress.getByName(it)
            }
            listOf("db1", "10.0.0", "10.0.0.256", "1.2.3.4.5", "0x7f.0.0.1", "db1.example").forEach {
                literalOrNull(it).shouldBeNull()
            }
            listOf("::zz", "db1:5432", "1:2", ":::", "fe80::1%no-such-interface").forEach {
                shouldThrow<UnknownHostException> { noLookup.of(it) }
            }
        }

        test("a value out of bounds is refused with the value and the bound") {
            shouldThrow<IllegalArgumentException> { TcpPolicy(connectTimeout = 0.seconds) }
                .message shouldBe "connectTimeout must be at least 1ms, was 0s"
            shouldThrow<IllegalArgumentException> { TcpPolicy(receiveBuffer = 7) }
                .message shouldBe "receiveBuffer must be 0 or in 1024..67108864 bytes, was 7"
            shouldThrow<IllegalArgumentException> { TcpPolicy(closeTimeout = kotlin.time.Duration.INFINITE) }
                .message shouldBe "closeTimeout must be finite, was Infinity"
            TcpPolicy(sendBuffer = 65_536).toString() shouldContain "sendBuffer=65536"
        }

        test("buffer sizes of the policy are taken") {
            leavingNothing {
                val policy = TcpPolicy(receiveBuffer = 4_096, sendBuffer = 4_096, noDelay = false, keepAlive = false)
                val small = TcpConnector(policy)
                Loopback.tcp().use { server -> withTimeout(10.seconds) { small.close(small.connect(server.backend)) } }
            }
        }
    })

private fun CountDownLatch.awaitUninterruptibly() {
    while (count > 0) {
        try {
            await()
        } catch (_: InterruptedException) {
            // As the system's resolver, which knows no interrupts.
        }
    }
}

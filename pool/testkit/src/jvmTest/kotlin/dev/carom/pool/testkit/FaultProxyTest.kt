package dev.carom.pool.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.io.IOException
import java.net.ConnectException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.SocketTimeoutException
import kotlin.concurrent.thread
import kotlin.time.TimeSource

class FaultProxyTest :
    FunSpec({
        val hello = "hello".encodeToByteArray()

        /** An echo server behind a proxy; afterwards no thread of either is left. */
        fun proxied(use: (FaultProxy) -> Unit) {
            val server = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
            val proxy = FaultProxy(server.localSocketAddress as InetSocketAddress)
            val echo = thread {
                val peers = mutableListOf<Pair<Socket, Thread>>()
                while (true) {
                    val peer = runCatching { server.accept() }.getOrNull() ?: break
                    peers += peer to thread {
                        runCatching { peer.getInputStream().transferTo(peer.getOutputStream()) }
                        peer.close()
                    }
                }
                peers.forEach { (peer, thread) ->
                    peer.close()
                    thread.join()
                }
            }
            server.use { proxy.use(use) }
            echo.join()
            Thread.getAllStackTraces().keys
                .filter { it.name == "fault-proxy-${proxy.port}" }
                .onEach { it.join(30_000) }
                .filter { it.isAlive }
                .shouldBeEmpty()
            proxy.close()
        }

        fun FaultProxy.client() = Socket(address.address, port).also { it.soTimeout = 30_000 }

        fun Socket.ask() = getOutputStream().write(hello)

        fun Socket.echoes() {
            ask()
            getInputStream().readNBytes(hello.size) shouldBe hello
        }

        fun Socket.staysSilent() {
            soTimeout = 50
            shouldThrow<SocketTimeoutException> { getInputStream().read() }
            soTimeout = 30_000
        }

        test("what goes in comes out, and is counted, ends included") {
            proxied { proxy ->
                proxy.client().use { client ->
                    client.echoes()
                    (proxy.bytesToTarget to proxy.bytesToClients) shouldBe (5L to 5L)
                    proxy.connections shouldHaveSize 1
                    client.shutdownOutput()
                    client.getInputStream().read() shouldBe -1
                }
                proxy.accepted shouldBe 1
            }
        }

        test("a black hole keeps what comes, without a reset, until it is none") {
            proxied { proxy ->
                proxy.client().use { client ->
                    client.echoes()
                    proxy.fault = Fault.BLACK_HOLE
                    client.ask()
                    client.staysSilent()
                    proxy.client().use { late ->
                        late.ask()
                        late.staysSilent()
                        proxy.fault = Fault.PASS
                        late.getInputStream().readNBytes(hello.size) shouldBe hello
                    }
                    client.getInputStream().readNBytes(hello.size) shouldBe hello
                }
            }
        }

        test("one connection may have a fault of its own") {
            proxied { proxy ->
                proxy.client().use { bad ->
                    proxy.client().use { good ->
                        proxy.awaitAccepted(2, 30)
                        proxy.connections.single { it.clientAddress == bad.localSocketAddress }.fault = Fault.BLACK_HOLE
                        bad.ask()
                        good.echoes()
                        bad.staysSilent()
                    }
                }
            }
        }

        test("a reset is a reset, for those open and for those to come") {
            proxied { proxy ->
                proxy.client().use { client ->
                    client.echoes()
                    proxy.reset()
                    shouldThrow<IOException> { client.getInputStream().read() }.message shouldBe "Connection reset"
                }
                proxy.fault = Fault.RESET
                shouldThrow<IOException> { proxy.client().use { it.echoes() } }
            }
        }

        test("half-closed, the client reads the end and may still write") {
            proxied { proxy ->
                proxy.client().use { client ->
                    client.echoes()
                    proxy.connections.single().halfClose()
                    client.getInputStream().read() shouldBe -1
                    client.ask()
                }
            }
        }

        test("who closes never gets the other side's end") {
            proxied { proxy ->
                proxy.fault = Fault.NEVER_FIN
                proxy.client().use { client ->
                    client.echoes()
                    client.shutdownOutput()
                    client.staysSilent()
                }
            }
        }

        test("slow is one byte at a time, delay is later") {
            proxied { proxy ->
                proxy.client().use { client ->
                    for (fault in listOf(Fault.slow(100), Fault.delay(25))) {
                        proxy.fault = fault
                        val start = TimeSource.Monotonic.markNow()
                        client.echoes()
                        start.elapsedNow().inWholeMilliseconds shouldBeGreaterThanOrEqual 50L
                    }
                }
            }
        }

        test("a connect may be left without an answer, refused, and served again") {
            proxied { proxy ->
                proxy.acceptNothing()
                Socket().use { shouldThrow<SocketTimeoutException> { it.connect(proxy.address, 100) } }
                proxy.refuse()
                shouldThrow<ConnectException> { proxy.client() }
                proxy.acceptAgain()
                proxy.client().use { it.echoes() }
            }
        }

        test("waiting for a connection that does not come says how many came") {
            proxied { proxy ->
                shouldThrow<IllegalStateException> { proxy.awaitAccepted(1, 0) }.message shouldBe
                    "0 of 1 connections accepted in 0 s"
            }
        }

        test("numbers out of bounds are refused with the bound") {
            shouldThrow<IllegalArgumentException> { Fault.slow(0) }.message shouldBe
                "bytesPerSecond must be in 1..1000000000, was 0"
            shouldThrow<IllegalArgumentException> { Fault.delay(-1) }.message shouldBe
                "millis must be in 0..600000, was -1"
        }
    })

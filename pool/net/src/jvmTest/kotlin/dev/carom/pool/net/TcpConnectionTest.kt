package dev.carom.pool.net

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.ktor.utils.io.cancel
import io.ktor.utils.io.readByteArray
import io.ktor.utils.io.writeByteArray
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.io.IOException
import java.io.InterruptedIOException
import java.nio.ByteBuffer
import java.nio.channels.SocketChannel
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class TcpConnectionTest :
    FunSpec({
        val connector = TcpConnector(TcpPolicy(closeTimeout = 200.milliseconds))
        val hello = "hello".encodeToByteArray()

        suspend fun connected(
            open: () -> Loopback = { Loopback.tcp() },
            by: TcpConnector = connector,
            use: suspend (TcpConnection, SocketChannel) -> Unit,
        ) = leavingNothing {
            open().use { server ->
                val connection = by.connect(server.backend)
                try {
                    withTimeout(20.seconds) { use(connection, server.accept()) }
                } finally {
                    by.close(connection)
                    eventually(30.seconds) { connection.isGone shouldBe true }
                }
            }
        }

        suspend fun echoes(connection: TcpConnection, peer: SocketChannel) {
            connection.output.writeByteArray(hello)
            connection.output.flush()
            peer.echo(hello.size)
            connection.input.readByteArray(hello.size) shouldBe hello
        }

        test("what is written to the channel comes back from the channel") {
            connected { connection, peer -> echoes(connection, peer) }
        }

        test("the same goes over IPv6").config(enabledOrReasonIf = { Loopback.ipv6() }) {
            connected({ Loopback.tcp(host = "::1") }) { connection, peer ->
                connection.remoteAddress shouldContain "]:"
                echoes(connection, peer)
            }
        }

        test("the same goes over a Unix-domain socket") {
            connected({ Loopback.unix() }) { connection, peer ->
                connection.remoteAddress shouldBe connection.backend.host
                connection.localAddress shouldBe ""
                echoes(connection, peer)
            }
        }

        test("the addresses of both ends are known, also after closing") {
            connected { connection, peer ->
                connection.remoteAddress shouldBe "127.0.0.1:${connection.backend.port}"
                connection.localAddress shouldBe peer.remoteAddress.toString().removePrefix("/")
                connector.close(connection)
                connection.toString() shouldContain connection.remoteAddress
            }
        }

        test("what is written to the stream comes back from the stream, at its end -1") {
            connected { connection, peer ->
                withContext(Dispatchers.IO) {
                    connection.outputStream().write(hello)
                    peer.echo(hello.size)
                    connection.inputStream().readNBytes(hello.size) shouldBe hello
                    peer.close()
                    connection.inputStream().read() shouldBe -1
                }
            }
        }

        test("an interrupt ends a blocked read and leaves the connection usable") {
            connected { connection, peer ->
                val started = CountDownLatch(1)
                var failure: Throwable? = null
                val reader = thread {
                    started.countDown()
                    failure = runCatching { connection.inputStream().read() }.exceptionOrNull()
                }
                runInterruptible(Dispatchers.IO) {
                    started.await()
                    reader.interrupt()
                    reader.join()
                }
                failure.shouldBeInstanceOf<InterruptedIOException>()
                echoes(connection, peer)
            }
        }

        test("a peer that closes an idle connection ends awaitClosed, and the connection is not valid any more") {
            connected { connection, peer ->
                connector.isValid(connection) shouldBe true
                peer.close()
                connector.awaitClosed(connection)
                connection.isOpen shouldBe false
                connector.isValid(connection) shouldBe false
            }
        }

        test("bytes that came before the peer closed stay for the user") {
            connected { connection, peer ->
                peer.write(ByteBuffer.wrap(hello))
                peer.close()
                connector.awaitClosed(connection)
                connection.input.readByteArray(hello.size) shouldBe hello
            }
        }

        test("a peer that resets an idle connection ends awaitClosed with a failure that says so") {
            connected { connection, peer ->
                peer.reset()
                val failure = shouldThrow<TcpException.Reset> { connector.awaitClosed(connection) }
                failure.message shouldContain connection.remoteAddress
                failure.backend shouldBe connection.backend
                connector.isValid(connection) shouldBe false
            }
        }

        test("awaitClosed sees a Unix-domain peer close, too") {
            connected({ Loopback.unix() }) { connection, peer ->
                peer.close()
                connector.awaitClosed(connection)
            }
        }

        test("awaitClosed runs beside a user who reads and takes none of its bytes") {
            connected { connection, peer ->
                coroutineScope {
                    val watch = launch(start = CoroutineStart.UNDISPATCHED) { connector.awaitClosed(connection) }
                    repeat(100) { echoes(connection, peer) }
                    watch.isActive shouldBe true
                    peer.close()
                    watch.join()
                }
            }
        }

        test("awaitClosed ends when this side closes") {
            connected { connection, _ ->
                coroutineScope {
                    launch(start = CoroutineStart.UNDISPATCHED) { connector.awaitClosed(connection) }
                    connector.close(connection)
                }
            }
        }

        test("unread bytes make a connection invalid only where the protocol says the peer speaks when asked") {
            val quiet = TcpConnector(TcpPolicy(quietWhenIdle = true))
            leavingNothing {
                Loopback.tcp().use { server ->
                    val connection = quiet.connect(server.backend)
                    val peer = server.accept()
                    quiet.isValid(connection) shouldBe true
                    peer.write(ByteBuffer.wrap(hello))
                    connection.input.awaitContent() shouldBe true
                    quiet.isValid(connection) shouldBe false
                    connector.isValid(connection) shouldBe true
                    connection.input.readByteArray(hello.size) shouldBe hello
                    quiet.isValid(connection) shouldBe true
                    quiet.close(connection)
                }
            }
        }

        test("closing sends what was written but not flushed, then ends the stream") {
            val patient = TcpConnector(TcpPolicy(closeTimeout = 60.seconds))
            connected(by = patient) { connection, peer ->
                connection.output.writeByteArray(hello)
                patient.close(connection)
                val got = ByteBuffer.allocate(hello.size)
                while (got.hasRemaining()) peer.read(got)
                got.array() shouldBe hello
                peer.read(ByteBuffer.allocate(1)) shouldBe -1
            }
        }

        test("closing twice, also at once, is closing") {
            connected { connection, _ ->
                coroutineScope { repeat(8) { launch(Dispatchers.Default) { connector.close(connection) } } }
                connector.close(connection)
                connector.isValid(connection) shouldBe false
            }
        }

        test("a peer that never reads cannot hold up a close") {
            connected { connection, _ ->
                supervisorScope {
                    val writer = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) {
                        // It ends: with an exception, or as if it had been done, as ktor has it.
                        runCatching { connection.output.writeByteArray(ByteArray(32 * 1024 * 1024)) }
                    }
                    val before = descriptors()
                    connector.close(connection)
                    connection.isOpen shouldBe false
                    eventually(30.seconds) { connection.isGone shouldBe true }
                    eventually(30.seconds) { descriptors() shouldBeLessThan before }
                    writer.join()
                }
            }
        }

        test("a close that is cancelled resets the connection and leaves nothing") {
            leavingNothing {
                Loopback.tcp().use { server ->
                    val patient = TcpConnector(TcpPolicy(closeTimeout = 600.seconds))
                    val connection = patient.connect(server.backend)
                    val peer = server.accept()
                    coroutineScope {
                        val writer = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) {
                            runCatching { connection.output.writeByteArray(ByteArray(32 * 1024 * 1024)) }
                        }
                        val closing = launch(start = CoroutineStart.UNDISPATCHED) { patient.close(connection) }
                        closing.cancel()
                        closing.join()
                        writer.join()
                    }
                    peer.socket().soTimeout = 30_000
                    shouldThrow<IOException> { peer.socket().getInputStream().readAllBytes() }
                }
            }
        }

        test("a peer that reads is not told of an orderly end when a close gives up") {
            leavingNothing {
                Loopback.tcp().use { server ->
                    val patient = TcpConnector(TcpPolicy(closeTimeout = 600.seconds))
                    val bytes = ByteArray(32 * 1024 * 1024)
                    repeat(20) {
                        val connection = patient.connect(server.backend)
                        val peer = server.accept()
                        peer.socket().soTimeout = 30_000
                        coroutineScope {
                            val got = async(Dispatchers.IO) {
                                runCatching { peer.socket().getInputStream().readAllBytes().size }
                            }
                            val writer = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) {
                                runCatching { connection.output.writeByteArray(bytes) }
                            }
                            val closing = launch(start = CoroutineStart.UNDISPATCHED) { patient.close(connection) }
                            closing.cancelAndJoin()
                            writer.join()
                            // All of it and then an end, or a reset.
                            got.await().onSuccess { it shouldBe bytes.size }
                        }
                        peer.close()
                    }
                }
            }
        }

        test("streams of a closed connection fail with an IOException") {
            connected { connection, _ ->
                connector.close(connection)
                withContext(Dispatchers.IO) {
                    shouldThrow<IOException> { connection.inputStream().read() }
                    shouldThrow<IOException> {
                        connection.outputStream().write(hello)
                        connection.outputStream().flush()
                    }
                }
            }
        }

        test("a coroutine that reads while the connection is closed gets an IOException, not a cancellation") {
            connected { connection, _ ->
                supervisorScope {
                    val reader = async(start = CoroutineStart.UNDISPATCHED) { connection.input.readByteArray(1) }
                    connector.close(connection)
                    shouldThrow<IOException> { reader.await() }
                    shouldThrow<IOException> { connection.output.writeByteArray(hello) }
                }
            }
        }

        test("a user who gives up reading makes the connection invalid") {
            connected { connection, _ ->
                connection.input.cancel()
                connector.isValid(connection) shouldBe false
            }
        }

        test("user coroutines on one thread do not share it with the selector") {
            val executor = Executors.newSingleThreadExecutor { Thread(it, "user").apply { isDaemon = true } }
            executor.asCoroutineDispatcher().use { single ->
                withContext(single) {
                    connected { connection, peer ->
                        repeat(200) { echoes(connection, peer) }
                        selectorThreads().single().isDaemon shouldBe true
                        Thread.currentThread().name.substringBefore(' ') shouldBe "user"
                    }
                }
            }
        }
    })

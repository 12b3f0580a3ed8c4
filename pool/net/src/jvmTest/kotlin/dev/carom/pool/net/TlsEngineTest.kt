package dev.carom.pool.net

import dev.carom.pool.testkit.TestCertificates
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.ktor.network.selector.SelectorManager
import io.ktor.network.sockets.InetSocketAddress
import io.ktor.network.sockets.aSocket
import io.ktor.network.sockets.openReadChannel
import io.ktor.network.sockets.openWriteChannel
import io.ktor.utils.io.ByteChannel
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.readByteArray
import io.ktor.utils.io.readFully
import io.ktor.utils.io.writeByteArray
import io.ktor.utils.io.writeFully
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.net.Socket
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ssl.SSLException
import javax.net.ssl.SSLSocket
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class TlsEngineTest :
    FunSpec({
        val authority = TestCertificates("Shop CA")
        val name = "db1.shop.test"
        val server = authority.issue(name)
        val trust = TlsTrust.certificates(listOf(authority.certificate))
        val hello = "hello".encodeToByteArray()
        val versions = listOf("TLSv1.3", "TLSv1.2")

        fun eachVersion(sentence: String, check: suspend (String) -> Unit) =
            versions.forEach { version -> test("$version: $sentence") { withTimeout(60.seconds) { check(version) } } }

        fun policy(
            protocols: List<String> = versions,
            key: TlsKey? = TlsKey.of(server.chain, server.privateKey),
            clientAuth: TlsClientAuth = TlsClientAuth.NONE,
        ) = TlsPolicy(
            trust,
            key,
            protocols,
            clientAuth = clientAuth,
            handshakeTimeout = 20.seconds,
            refusalTimeout = 20.seconds,
        )

        /** Client and server over two channels in memory; afterwards no coroutine of either is left. */
        suspend fun pair(
            client: TlsPolicy = policy(key = null),
            serving: TlsPolicy = policy(),
            use: suspend CoroutineScope.(TlsStream, TlsStream, List<ByteChannel>) -> Unit,
        ) = coroutineScope {
            val there = ByteChannel()
            val back = ByteChannel()
            val sessions = Job(coroutineContext.job)
            val scope = CoroutineScope(Dispatchers.Default + sessions)
            val accepting = async { TlsEngine(serving).accept(scope, there, back) }
            val connected = TlsEngine(client).connect(scope, back, there, name, 1)
            val accepted = accepting.await()
            use(connected, accepted, listOf(there, back))
            connected.abort()
            accepted.abort()
            sessions.children.toList().forEach { it.join() }
            sessions.complete()
            Unit
        }

        suspend fun TlsStream.say(bytes: ByteArray) {
            output.writeByteArray(bytes)
            output.flush()
        }

        /** A server of ours on a real socket, for a client of the JDK. */
        suspend fun served(policy: TlsPolicy, serve: suspend (TlsStream) -> Unit, use: (Int) -> Unit) = leavingNothing {
            SelectorManager(Dispatchers.IO).use { selector ->
                val listening = aSocket(selector).tcp().bind(InetSocketAddress("127.0.0.1", 0))
                val port = (listening.localAddress as InetSocketAddress).port
                supervisorScope {
                    val serving = launch(Dispatchers.Default) {
                        val socket = listening.accept()
                        val (input, output) = socket.openReadChannel() to socket.openWriteChannel()
                        try {
                            val stream = TlsEngine(policy).accept(this, input, output)
                            serve(stream)
                            stream.close()
                        } catch (_: IOException) {
                            // The client says what it expects.
                        } finally {
                            socket.close()
                        }
                    }
                    val result = runCatching { runInterruptible(Dispatchers.IO) { use(port) } }
                    serving.cancelAndJoin()
                    listening.close()
                    result.getOrThrow()
                }
            }
        }

        fun jdk(port: Int, version: String, use: (SSLSocket) -> Unit) {
            val context = authority.issue("client").sslContext(authority.certificate)
            Socket("127.0.0.1", port).use { raw ->
                val socket = context.socketFactory.createSocket(raw, name, port, true) as SSLSocket
                socket.use {
                    it.soTimeout = 20_000
                    it.enabledProtocols = arrayOf(version)
                    it.sslParameters = it.sslParameters.apply { endpointIdentificationAlgorithm = "HTTPS" }
                    use(it)
                }
            }
        }

        suspend fun echo(stream: TlsStream) {
            val buffer = ByteArray(4_096)
            while (true) {
                val size = stream.input.readAvailable(buffer)
                if (size < 0) break
                stream.output.writeFully(buffer, 0, size)
                stream.output.flush()
            }
        }

        eachVersion("both of ours talk, and end in order") { version ->
            pair(serving = policy(listOf(version))) { client, served, _ ->
                client.session.protocol shouldBe version
                served.session.protocol shouldBe version
                served.session.peerPrincipal shouldBe null
                client.say(hello)
                served.input.readByteArray(hello.size) shouldBe hello
                launch { client.close() }
                served.awaitClosed()
                served.input.readAvailable(ByteArray(1)) shouldBe -1
                served.close()
            }
        }

        test("TLS 1.3: closing one direction leaves the other open") {
            pair { client, served, _ ->
                client.output.flushAndClose()
                served.input.readAvailable(ByteArray(1)) shouldBe -1
                served.say(hello)
                client.input.readByteArray(hello.size) shouldBe hello
            }
        }

        eachVersion("a client of the JDK is served, with large transfers in both directions at once") { version ->
            val bytes = Random(3).nextBytes(4 * 1024 * 1024)
            served(policy(), ::echo) { port ->
                jdk(port, version) { socket ->
                    val writer = kotlin.concurrent.thread {
                        socket.outputStream.write(bytes)
                        socket.outputStream.flush()
                    }
                    socket.inputStream.readNBytes(bytes.size).contentEquals(bytes) shouldBe true
                    writer.join()
                    socket.session.protocol shouldBe version
                }
            }
        }

        test("TLS 1.3: a client of the JDK may change keys at any time") {
            served(policy(), ::echo) { port ->
                jdk(port, "TLSv1.3") { socket ->
                    repeat(20) {
                        socket.startHandshake()
                        socket.outputStream.write(hello)
                        socket.inputStream.readNBytes(hello.size) shouldBe hello
                    }
                }
            }
        }

        test("TLS 1.2: a client that wants to renegotiate is refused") {
            served(policy(), ::echo) { port ->
                jdk(port, "TLSv1.2") { socket ->
                    socket.startHandshake()
                    shouldThrow<IOException> {
                        socket.startHandshake()
                        socket.outputStream.write(hello)
                        check(socket.inputStream.read() < 0) { "served after a renegotiation" }
                        throw SSLException("ended")
                    }
                }
            }
        }

        eachVersion("who the client is, is known to a server that asks") { version ->
            val client = authority.issue("client")
            val known = policy(listOf(version), TlsKey.of(client.chain, client.privateKey))
            pair(known, policy(clientAuth = TlsClientAuth.NEED)) { _, served, _ ->
                served.session.peerPrincipal shouldBe "CN=client"
            }
            pair(policy(listOf(version), null), policy(clientAuth = TlsClientAuth.WANT)) { _, served, _ ->
                served.session.peerCertificates.shouldBeEmpty()
            }
        }

        eachVersion("both sides are told why a client without a certificate has no session") { version ->
            val there = ByteChannel()
            val back = ByteChannel()
            supervisorScope {
                val accepting = async {
                    TlsEngine(policy(listOf(version), clientAuth = TlsClientAuth.NEED)).accept(this, there, back)
                }
                shouldThrow<TlsException.ClientCertificateRequired> {
                    TlsEngine(policy(key = null)).connect(this, back, there, name, 1)
                }
                shouldThrow<TlsException.ClientCertificateRequired> { accepting.await() }
            }
        }

        test("a server without a key is a programming error") {
            coroutineScope {
                shouldThrow<IllegalStateException> {
                    TlsEngine(policy(key = null)).accept(this, ByteChannel(), ByteChannel())
                }.message!! shouldContain "key=null"
            }
        }

        eachVersion("a record that was changed on the way breaks the session, and the peer is told") { version ->
            pair(serving = policy(listOf(version))) { client, served, (there, _) ->
                // A record of application data that is none (RFC 8446, section 5.1).
                there.writeFully(byteArrayOf(23, 3, 3, 0, 64) + ByteArray(64))
                there.flush()
                shouldThrow<TlsException.Broken> { served.awaitClosed() }
                shouldThrow<TlsException.Broken> { served.input.readByteArray(1) }
                served.isOpen shouldBe false
                shouldThrow<TlsException.Broken> { client.awaitClosed() }.message!! shouldContain "fatal alert"
            }
        }

        test("a channel that fails fails the session, after what had come") {
            pair { client, served, (there, back) ->
                client.say(hello)
                served.input.awaitContent(hello.size)
                there.cancel(IOException("cut"))
                back.cancel(IOException("cut"))
                shouldThrow<IOException> { served.awaitClosed() }
                served.input.readByteArray(hello.size) shouldBe hello
                shouldThrow<IOException> { served.input.readByteArray(1) }
            }
        }

        test("channels that are cancelled under a handshake fail it, and cancel nobody") {
            supervisorScope {
                val there = ByteChannel()
                val back = ByteChannel()
                val connecting = async(start = CoroutineStart.UNDISPATCHED) {
                    TlsEngine(policy(key = null)).connect(this, back, there, name, 1)
                }
                there.awaitContent()
                back.cancel(CancellationException("the selector was closed"))
                shouldThrow<TlsException.Handshake> { connecting.await() }
            }
        }

        test("nobody is left waiting when the scope of the sessions is cancelled") {
            coroutineScope {
                val there = ByteChannel()
                val back = ByteChannel()
                val sessions = CoroutineScope(Dispatchers.Default + Job())
                val accepting = async { TlsEngine(policy()).accept(sessions, there, back) }
                val client = TlsEngine(policy(key = null)).connect(sessions, back, there, name, 1)
                accepting.await()
                val reader = async { runCatching { client.input.readByteArray(1) } }
                sessions.cancel()
                reader.await().exceptionOrNull().shouldBeInstanceOf<IOException>()
                client.awaitClosed()
                client.isOpen shouldBe false
                sessions.coroutineContext.job.children.forEach { it.join() }
            }
        }

        test("a close that a peer holds up is bounded by cancelling it, and leaves nothing") {
            pair { client, _, _ ->
                val writer = async { runCatching { client.output.writeByteArray(ByteArray(8 * 1024 * 1024)) } }
                withTimeoutOrNull(100.milliseconds) { client.close() }
                writer.await()
                client.isOpen shouldBe false
            }
        }

        test("what is read ahead is bounded, whatever the peer sends") {
            pair { client, served, (there, _) ->
                val buffer = ByteArray(65_536)
                val written = AtomicInteger()
                val writer = launch(Dispatchers.Default) {
                    repeat(16 * 16) {
                        client.output.writeFully(ByteArray(buffer.size))
                        client.output.flush()
                        written.incrementAndGet()
                    }
                }
                // Up to 2 MiB each: written, sealed, opened. The rest waits.
                withTimeoutOrNull(500.milliseconds) { writer.join() } shouldBe null
                written.get() shouldBeLessThan 8 * 16
                repeat(16 * 16) { served.input.readFully(buffer) }
                writer.join()
                there.isClosedForWrite shouldBe false
            }
        }

        test("a policy out of bounds is refused with the value and the bound") {
            shouldThrow<IllegalArgumentException> { TlsPolicy(protocols = listOf("TLSv1.1")) }.message shouldBe
                "protocols must be one or both of [TLSv1.3, TLSv1.2], was [TLSv1.1]"
            shouldThrow<IllegalArgumentException> { TlsPolicy(alpn = listOf("")) }.message shouldBe
                "each of alpn must have 1..255 bytes, \"\" has 0"
            shouldThrow<IllegalArgumentException> { TlsPolicy(handshakeTimeout = 0.seconds) }.message shouldBe
                "handshakeTimeout must be at least 1ms and finite, was 0s"
            TlsPolicy(key = TlsKey.pkcs12(java.nio.file.Path.of("k.p12"), dev.carom.pool.Secret.of("c4n4ry")))
                .toString() shouldNotContain "c4n4ry"
        }
    })

package dev.carom.pool.net

import dev.carom.pool.Backend
import dev.carom.pool.testkit.Fault
import dev.carom.pool.testkit.FaultProxy
import dev.carom.pool.testkit.TestCertificates
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.readByteArray
import io.ktor.utils.io.writeByteArray
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import java.io.IOException
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicReference
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class TlsConnectorTest :
    FunSpec({
        val authority = TestCertificates("Shop CA")
        val trust = TlsTrust.certificates(listOf(authority.certificate))
        val name = "db1.shop.test"
        val server = authority.issue(name)
        val hello = "hello".encodeToByteArray()
        val versions = listOf("TLSv1.3", "TLSv1.2")

        fun connector(tls: TlsPolicy, closeTimeout: Duration = 1.seconds) =
            TcpConnector(TcpPolicy(connectTimeout = 10.seconds, closeTimeout = closeTimeout), tls)

        fun patient(
            protocols: List<String> = versions,
            key: TlsKey? = null,
            alpn: List<String> = emptyList(),
            trusted: TlsTrust = trust,
            verifyHost: Boolean = true,
            closeTimeout: Duration = 1.seconds,
        ) = connector(
            TlsPolicy(
                trusted,
                key,
                protocols,
                verifyHost,
                alpn,
                handshakeTimeout = 20.seconds,
                refusalTimeout = 20.seconds,
            ),
            closeTimeout,
        )

        suspend fun TcpConnector.with(backend: Backend, use: suspend (TcpConnection) -> Unit) {
            val connection = connect(backend)
            try {
                withTimeout(30.seconds) { use(connection) }
            } finally {
                close(connection)
                eventually(30.seconds) { connection.isGone shouldBe true }
            }
        }

        suspend fun TcpConnection.echoes(bytes: ByteArray = hello) {
            output.writeByteArray(bytes)
            output.flush()
            input.readByteArray(bytes.size) shouldBe bytes
        }

        fun eachVersion(sentence: String, check: suspend (String) -> Unit) =
            versions.forEach { version -> test("$version: $sentence") { check(version) } }

        suspend fun withPeer(peer: TlsPeer, use: suspend (TlsPeer) -> Unit) = leavingNothing { peer.use { use(it) } }

        eachVersion("the name survives resolution: three addresses prove the target of the SRV record") {
            leavingNothing {
                for (host in listOf("127.0.0.1", "127.0.0.2", "127.0.0.3")) {
                    TlsPeer.tls(server, host).use { peer ->
                        patient(listOf(it)).with(peer.backend(name)) { connection ->
                            connection.echoes()
                            connection.remoteAddress shouldContain host
                            val session = connection.tlsSession!!
                            session.protocol shouldBe it
                            session.peerPrincipal shouldBe "CN=$name"
                            session.peerCertificates shouldContainExactly server.chain
                            session.alpn shouldBe null
                        }
                    }
                }
            }
        }

        test("a certificate for another name is refused, by both names, and nothing of the user is sent") {
            withPeer(TlsPeer.tls(authority.issue("other.test", "127.0.0.1"))) { peer ->
                val backend = peer.backend(name)
                val failure = shouldThrow<TcpException.TlsIdentity> { patient().connect(backend) }
                failure.message shouldBe "$backend at 127.0.0.1:${backend.port}: " +
                    "the peer's certificate is for [other.test, 127.0.0.1], not for \"$name\""
                (failure.expected to failure.presented) shouldBe (name to listOf("other.test", "127.0.0.1"))
                patient(verifyHost = false).with(backend) { it.echoes() }
            }
        }

        test("an address as authority is proved by an address in the certificate, an absolute name without its dot") {
            withPeer(TlsPeer.tls(authority.issue(name, "127.0.0.1"))) { peer ->
                val at = peer.address
                for (authorised in listOf("127.0.0.1", "$name.", " ")) {
                    patient().with(Backend(name, "127.0.0.1", at.port, authority = authorised)) { it.echoes() }
                }
                shouldThrow<TcpException.TlsIdentity> {
                    patient().connect(Backend("local_host", "127.0.0.1", at.port))
                }
            }
        }

        test("a server is told the name, not the address (SNI)") {
            val told = LinkedBlockingQueue<String>()
            val peer = TlsPeer.tls(server) {
                it.startHandshake()
                told += (it.session as javax.net.ssl.ExtendedSSLSession).requestedServerNames.toString()
                TlsPeer.echo(it)
            }
            withPeer(peer) {
                patient().with(it.backend(name)) { connection -> connection.echoes() }
                told.poll(30, TimeUnit.SECONDS)!! shouldContain name
            }
        }

        test("a certificate of an unknown authority, or one that has expired, is not trusted") {
            withPeer(TlsPeer.tls(TestCertificates("Shop CA").issue(name))) {
                val failure = shouldThrow<TcpException.TlsUntrusted> { patient().connect(it.backend(name)) }
                failure.message shouldContain "the peer's certificate is not trusted: "
            }
            withPeer(TlsPeer.tls(authority.issueExpired(name))) {
                shouldThrow<TcpException.TlsUntrusted> { patient().connect(it.backend(name)) }
                shouldThrow<TcpException.TlsUntrusted> {
                    patient(trusted = TlsTrust.system()).connect(it.backend(name))
                }
            }
        }

        eachVersion("a server that needs a client's certificate") { version ->
            withPeer(TlsPeer.demanding(server, authority)) {
                val backend = it.backend(name)
                val none = shouldThrow<TcpException.TlsClientCertificateRequired> {
                    patient(listOf(version)).connect(backend)
                }
                none.message shouldContain "a client certificate is required and none was sent"
                val mine = authority.issue("client")
                patient(listOf(version), TlsKey.of(mine.chain, mine.privateKey)).with(backend) { it.echoes() }
                // The JDK does not even send one whose authority the server does not name: hence the chain of ours.
                val forged = TestCertificates("Shop CA").issue("client")
                shouldThrow<TcpException.TlsClientCertificateRefused> {
                    patient(listOf(version), TlsKey.of(forged.chain, forged.privateKey)).connect(backend)
                }
            }
        }

        test("garbage, an end, a reset and plain text instead of a ServerHello are no handshake") {
            val answers = listOf<(java.net.Socket) -> Unit>(
                { it.getOutputStream().write(Random(1).nextBytes(100_000)) },
                { it.getOutputStream().write("220 mail.test ESMTP\r\n".repeat(100).encodeToByteArray()) },
                { it.getOutputStream().write(byteArrayOf(22, 3, 3, -1, -1) + ByteArray(70_000)) },
                { it.shutdownOutput() },
                { it.setSoLinger(true, 0) },
            )
            for (answer in answers) {
                val peer = TlsPeer.plain {
                    // Not before the handshake has begun: a reset may come before that, too, but is another failure then.
                    it.getInputStream().read()
                    answer(it)
                }
                withPeer(peer) {
                    shouldThrow<TcpException.TlsHandshake> { patient().connect(it.backend(name)) }
                }
            }
        }

        test("versions that do not meet are no handshake") {
            withPeer(TlsPeer.tls(server, configure = { enabledProtocols = arrayOf("TLSv1.2") })) {
                val failure = shouldThrow<TcpException.TlsHandshake> {
                    patient(listOf("TLSv1.3")).connect(it.backend(name))
                }
                failure.message shouldContain "TLS handshake failed: "
            }
        }

        test("a peer that accepts and says nothing is given up, and was sent nothing in plain") {
            val received = LinkedBlockingQueue<ByteArray>()
            withPeer(TlsPeer.plain { received += it.getInputStream().readAllBytes() }) {
                val hasty = connector(TlsPolicy(trust, handshakeTimeout = 100.milliseconds), closeTimeout = 60.seconds)
                val failure = shouldThrow<TcpException.TlsTimedOut> { hasty.connect(it.backend(name)) }
                failure.message shouldContain "TLS handshake did not end within 100ms"
                val bytes = received.poll(30, TimeUnit.SECONDS)!!
                // Only handshake records and alerts (RFC 8446, section 5.1).
                var at = 0
                while (at < bytes.size) {
                    listOf(21, 22) shouldContain bytes[at].toInt()
                    at += 5 + (bytes[at + 3].toInt() and 0xff) * 256 + (bytes[at + 4].toInt() and 0xff)
                }
            }
        }

        test("a handshake that is cancelled at any moment leaves nothing") {
            withPeer(TlsPeer.tls(server)) { peer ->
                val connector = patient()
                repeat(150) { round ->
                    val opened = AtomicReference<TcpConnection>()
                    coroutineScope {
                        val connect = launch(Dispatchers.Default) { opened.set(connector.connect(peer.backend(name))) }
                        repeat(round * 10) { yield() }
                        connect.cancel()
                    }
                    opened.get()?.let { connector.close(it) }
                }
            }
        }

        eachVersion("large transfers in both directions at once arrive as they are") { version ->
            withPeer(TlsPeer.tls(server)) {
                patient(listOf(version)).with(it.backend(name)) { connection ->
                    val bytes = Random(7).nextBytes(8 * 1024 * 1024)
                    coroutineScope {
                        launch(Dispatchers.Default) {
                            connection.output.writeByteArray(bytes)
                            connection.output.flush()
                        }
                        val back = async(Dispatchers.Default) { connection.input.readByteArray(bytes.size) }
                        back.await().contentEquals(bytes) shouldBe true
                    }
                }
            }
        }

        eachVersion("a peer whose bytes come one by one is as good as any") { version ->
            withPeer(TlsPeer.tls(server)) { peer ->
                FaultProxy(peer.address).use { proxy ->
                    proxy.fault = Fault.slow(1_000_000)
                    patient(listOf(version)).with(peer.backend(name, proxy.address)) { it.echoes() }
                }
            }
        }

        eachVersion("a peer that ends its side in order ends the stream") { version ->
            val peer = TlsPeer.tls(server) {
                it.outputStream.write(hello)
                it.shutdownOutput()
                it.inputStream.readAllBytes()
            }
            withPeer(peer) {
                val connector = patient(listOf(version))
                connector.with(it.backend(name)) { connection ->
                    connector.awaitClosed(connection)
                    connector.isValid(connection) shouldBe false
                    connection.input.readByteArray(hello.size) shouldBe hello
                    connection.input.readAvailable(ByteArray(1)) shouldBe -1
                }
            }
        }

        eachVersion("an end without TLS's own is a truncation, after the bytes that came") { version ->
            withPeer(TlsPeer.tls(server)) { peer ->
                FaultProxy(peer.address).use { proxy ->
                    val connector = patient(listOf(version))
                    connector.with(peer.backend(name, proxy.address)) { connection ->
                        connection.output.writeByteArray(hello)
                        connection.output.flush()
                        connection.input.awaitContent(hello.size)
                        proxy.connections.single().halfClose()
                        shouldThrow<TcpException.TlsTruncated> { connector.awaitClosed(connection) }
                        connection.input.readByteArray(hello.size) shouldBe hello
                        repeat(2) {
                            shouldThrow<TlsException.Truncated> { connection.input.readAvailable(ByteArray(1)) }
                        }
                        runInterruptible(Dispatchers.IO) {
                            shouldThrow<TlsException.Truncated> { connection.inputStream().read() }
                        }
                    }
                }
            }
        }

        test("a reset is a reset") {
            withPeer(TlsPeer.tls(server)) { peer ->
                FaultProxy(peer.address).use { proxy ->
                    patient().with(peer.backend(name, proxy.address)) { connection ->
                        connection.echoes()
                        proxy.reset()
                        shouldThrow<TcpException.Reset> { patient().awaitClosed(connection) }
                        shouldThrow<IOException> { connection.input.readByteArray(1) }
                    }
                }
            }
        }

        eachVersion("closing sends what was written and ends in order") { version ->
            val got = LinkedBlockingQueue<ByteArray>()
            withPeer(TlsPeer.tls(server) { got += it.inputStream.readAllBytes() }) { peer ->
                patient(listOf(version), closeTimeout = 60.seconds).with(peer.backend(name)) {
                    it.output.writeByteArray(hello)
                }
                got.poll(30, TimeUnit.SECONDS) shouldBe hello
                peer.failures.shouldBeEmpty()
            }
        }

        test("TLS 1.3: a peer that changes its keys, and asks for new ones, is answered") {
            val peer = TlsPeer.tls(server) {
                val buffer = ByteArray(hello.size)
                while (it.inputStream.readNBytes(buffer, 0, buffer.size) == buffer.size) {
                    it.startHandshake()
                    it.outputStream.write(buffer)
                }
            }
            withPeer(peer) {
                patient(closeTimeout = 60.seconds).with(it.backend(name)) { connection ->
                    repeat(50) { connection.echoes() }
                }
                it.failures.shouldBeEmpty()
            }
        }

        test("TLS 1.2: a peer that wants to renegotiate breaks the session") {
            val peer = TlsPeer.tls(server, configure = { enabledProtocols = arrayOf("TLSv1.2") }) {
                it.startHandshake()
                it.startHandshake()
                TlsPeer.echo(it)
            }
            withPeer(peer) {
                patient().with(it.backend(name)) { connection ->
                    val failure = shouldThrow<TcpException.TlsBroken> { patient().awaitClosed(connection) }
                    failure.message shouldContain "renegotiate"
                }
            }
        }

        test("an application protocol is agreed on, or there is none") {
            val configure: javax.net.ssl.SSLServerSocket.() -> Unit =
                { sslParameters = sslParameters.apply { applicationProtocols = arrayOf("b", "c") } }
            withPeer(TlsPeer.tls(server, configure = configure)) {
                patient(alpn = listOf("a", "b")).with(it.backend(name)) { connection ->
                    connection.tlsSession!!.alpn shouldBe "b"
                }
                shouldThrow<TcpException.TlsHandshake> { patient(alpn = listOf("x")).connect(it.backend(name)) }
            }
        }

        test("material that cannot be read is a failure that names it, and no secret") {
            val nowhere = java.nio.file.Path.of("/nowhere/key.p12")
            val key = TlsKey.pkcs12(nowhere, dev.carom.pool.Secret.of("c4n4ry-p12"))
            withPeer(TlsPeer.tls(server)) {
                val failure = shouldThrow<TcpException.TlsMaterial> { patient(key = key).connect(it.backend(name)) }
                failure.message shouldContain "/nowhere/key.p12"
                failure.stackTraceToString() shouldNotContain "c4n4ry"
            }
        }
    })

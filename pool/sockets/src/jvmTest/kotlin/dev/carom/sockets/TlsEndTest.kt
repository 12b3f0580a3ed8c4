package dev.carom.sockets

import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import dev.carom.pool.testkit.LeakCheckListener
import dev.carom.pool.testkit.TestCertificates
import dev.carom.sockets.transport.KtorTransports
import dev.carom.sockets.transport.NioTransports
import dev.carom.sockets.transport.TlsTransports
import dev.carom.sockets.transport.Transports
import io.kotest.core.spec.style.FunSpec
import io.kotest.core.test.Enabled
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.io.File
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import javax.net.ssl.SSLSocket

/** How TLS peers end, those that do it properly and those that do not. */
class TlsEndTest :
    FunSpec({
        extension(LeakCheckListener())
        val authority = TestCertificates("authority")
        val identity = authority.issue("localhost", "127.0.0.1")
        val policy = TlsPolicy(
            trust = TlsTrust.certificates(listOf(authority.certificate)),
            key = TlsKey.of(identity.chain, identity.privateKey),
        )
        val engines = mapOf("nio" to NioTransports.tcp(), "ktor" to KtorTransports.tcp())

        /** Says [hex] inside TLS, and then just leaves. */
        suspend fun leave(url: String, hex: String) = withContext(Dispatchers.IO) {
            val context = identity.sslContext(authority.certificate)
            Socket("127.0.0.1", url.substringAfterLast(':').toInt()).use { plain ->
                val secure = context.socketFactory.createSocket(plain, "localhost", plain.port, false) as SSLSocket
                secure.outputStream.write(hex(hex))
                secure.inputStream.readNBytes(8)
                plain.shutdownOutput()
                // Not before it has noticed: what it still says would be answered with a reset.
                plain.getInputStream().readAllBytes()
            }
        }

        for ((engine, tcp) in engines) {
            for ((more, reason) in mapOf(
                "" to "the peer closed it",
                "00 00 00 00 00 00 00 05 69" to "the peer closed it within a message",
            )) {
                test("$engine: a peer leaves without close_notify: its messages stand, and \"$reason\" is told") {
                    live {
                        val transports = Transports(TlsTransports.over(tcp, policy))
                        val pull = openPullSocket("pull", transports = transports)
                        val closed = async(start = CoroutineStart.UNDISPATCHED) {
                            pull.notices.filterIsInstance<SocketNotice.PipeClosed>().first()
                        }
                        val url = pull.bind("tls+tcp://127.0.0.1:0").url
                        launch { leave(url, "00 53 50 00 00 50 00 00 00 00 00 00 00 00 00 02 68 69 $more") }
                        pull.receive().decodeToString() shouldBe "hi"
                        closed.await().run {
                            this.reason shouldBe reason
                            cause?.message shouldContain "ended the connection without close_notify"
                        }
                        pull.counters.run { listOf(received, delivered) } shouldBe listOf(1L, 1L)
                        pull.close()
                    }
                }
            }
        }

        class Files3(directory: Path) {
            val trust: Path = directory.resolve("trust.pem").also(authority::writePem)
            val certificate: Path = directory.resolve("certificate.pem")
            val key: Path = directory.resolve("key.pem").also { identity.writePem(certificate, it) }
        }
        val files by lazy { Files3(Files.createTempDirectory("carom")) }

        suspend fun nngcat(vararg arguments: String, act: suspend (Process) -> Unit) {
            val process = withContext(Dispatchers.IO) {
                ProcessBuilder(listOf("nngcat") + arguments).redirectErrorStream(true).start()
            }
            try {
                act(process)
            } finally {
                process.toHandle().destroyForcibly()
                process.onExit().join()
            }
        }

        fun nng(): Enabled = when {
            !System.getProperty("carom.interop").toBoolean() -> Enabled.disabled("set -Dcarom.interop=true to run it")
            !File("/usr/bin/nngcat").canExecute() -> Enabled.disabled("nngcat is not installed")
            else -> Enabled.enabled
        }

        for ((engine, tcp) in engines) {
            test("$engine: nngcat pushes over TLS and leaves; its message arrives").config(enabledOrReasonIf = {
                nng()
            }) {
                live {
                    val pull = openPullSocket("pull", transports = Transports(TlsTransports.over(tcp, policy)))
                    val closed = async(start = CoroutineStart.UNDISPATCHED) {
                        pull.notices.filterIsInstance<SocketNotice.PipeClosed>().first()
                    }
                    val port = pull.bind("tls+tcp://127.0.0.1:0").url.substringAfterLast(':')
                    val trust = files.trust.toString()
                    nngcat("--push", "-D", "job", "--cacert", trust, "--connect", "tls+tcp://localhost:$port") {
                        pull.receive().decodeToString() shouldBe "job"
                        closed.await().reason shouldBe "the peer closed it"
                    }
                    pull.close()
                }
            }

            test("$engine: nngcat answers over TLS, request after request").config(enabledOrReasonIf = { nng() }) {
                live {
                    val port = ServerSocket(0).use { it.localPort }
                    val req = openReqSocket("req", transports = Transports(TlsTransports.over(tcp, policy)))
                    val own = arrayOf("--cert", files.certificate.toString(), "--key", files.key.toString())
                    nngcat("--rep", "-D", "canned", *own, "--bind", "tls+tcp://127.0.0.1:$port") {
                        req.connect("tls+tcp://localhost:$port")
                        repeat(3) { req.request(bytes("question $it")).decodeToString() shouldBe "canned" }
                        req.close()
                    }
                }
            }
        }
    })

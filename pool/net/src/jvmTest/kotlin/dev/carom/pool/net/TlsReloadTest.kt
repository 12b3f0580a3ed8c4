package dev.carom.pool.net

import dev.carom.pool.Secret
import dev.carom.pool.testkit.TestCertificates
import dev.carom.pool.testkit.TestIdentity
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.ktor.utils.io.readByteArray
import io.ktor.utils.io.writeByteArray
import java.nio.file.Files
import java.nio.file.Path
import java.security.AlgorithmParameters
import java.util.Base64
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import javax.crypto.Cipher
import javax.crypto.EncryptedPrivateKeyInfo
import javax.crypto.SecretKeyFactory
import javax.crypto.spec.PBEKeySpec
import javax.net.ssl.SSLSocket
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class TlsReloadTest :
    FunSpec({
        val authority = TestCertificates("Shop CA")
        val name = "db1.shop.test"
        val server = authority.issue(name)
        val hello = "hello".encodeToByteArray()

        class Told : TlsListener {
            val reloaded = CopyOnWriteArrayList<String>()
            val failed = CopyOnWriteArrayList<Throwable>()

            override fun reloaded(source: String) {
                reloaded += source
            }

            override fun reloadFailed(source: String, cause: Throwable) {
                failed += cause
            }
        }

        suspend fun inDirectory(use: suspend (Path) -> Unit) {
            val directory = Files.createTempDirectory("carom")
            try {
                use(directory)
            } finally {
                directory.toFile().deleteRecursively()
            }
        }

        suspend fun TcpConnection.echoes() {
            output.writeByteArray(hello)
            output.flush()
            input.readByteArray(hello.size) shouldBe hello
        }

        fun connector(
            trust: TlsTrust,
            key: TlsKey? = null,
            told: TlsListener = TlsListener.NONE,
            interval: Duration = 1.milliseconds,
        ) = TcpConnector(
            TcpPolicy(),
            TlsPolicy(trust, key, handshakeTimeout = 20.seconds, reloadInterval = interval, listener = told),
        )

        /** A server that needs a client's certificate, and says which it got. */
        suspend fun withServer(use: suspend (TlsPeer, () -> String) -> Unit) = leavingNothing {
            val subjects = LinkedBlockingQueue<String>()
            val serve = { socket: SSLSocket ->
                subjects += (socket.session.peerPrincipal.name)
                TlsPeer.echo(socket)
            }
            TlsPeer.tls(server, trusted = authority, configure = { needClientAuth = true }, serve = serve).use {
                use(it) { subjects.poll(30, TimeUnit.SECONDS)!! }
            }
        }

        fun encrypted(identity: TestIdentity, password: String): String {
            val algorithm = "PBEWithHmacSHA256AndAES_256"
            val key = SecretKeyFactory.getInstance(algorithm).generateSecret(PBEKeySpec(password.toCharArray()))
            val cipher = Cipher.getInstance(algorithm).apply { init(Cipher.ENCRYPT_MODE, key) }
            val sealed = cipher.doFinal(identity.privateKey.encoded)
            // Under the name that has an identifier; the JDK has none for the one the key was made with.
            val named = AlgorithmParameters.getInstance("PBES2").apply { init(cipher.parameters.encoded) }
            val der = EncryptedPrivateKeyInfo(named, sealed).encoded
            val text = Base64.getMimeEncoder().encodeToString(der)
            return "-----BEGIN ENCRYPTED PRIVATE KEY-----\n$text\n-----END ENCRYPTED PRIVATE KEY-----\n"
        }

        test("keys are read from PEM, plain or encrypted, of any kind, and from PKCS #12") {
            inDirectory { directory ->
                val (cert, key, ca, store) = listOf("c.pem", "k.pem", "ca.pem", "s.p12").map(directory::resolve)
                authority.writePem(ca)
                withServer { peer, subject ->
                    suspend fun proves(material: TlsKey) {
                        val connector = connector(TlsTrust.pem(ca), material)
                        val connection = connector.connect(peer.backend(name))
                        connection.echoes()
                        subject() shouldBe "CN=client"
                        connector.close(connection)
                    }
                    for (algorithm in listOf("EC", "RSA", "Ed25519")) {
                        val client = authority.issueWith(algorithm, "client")
                        client.writePem(cert, key)
                        proves(TlsKey.pem(cert, key))
                        Files.writeString(key, encrypted(client, "pw"))
                        proves(TlsKey.pem(cert, key, Secret.of("pw")))
                        client.writePkcs12(store, "pw")
                        proves(TlsKey.pkcs12(store, Secret.of("pw")))
                    }
                    val trust = TlsTrust.pkcs12(store, Secret.of("pw"))
                    val connector = connector(trust, TlsKey.pkcs12(store, Secret.of("pw")))
                    connector.close(connector.connect(peer.backend(name)))
                }
            }
        }

        test("a key that is replaced on disk is used by new connections; old ones go on") {
            inDirectory { directory ->
                val (cert, key) = listOf("c.pem", "k.pem").map(directory::resolve)
                val told = Told()
                authority.issue("first").writePem(cert, key)
                val connector = connector(
                    TlsTrust.certificates(listOf(authority.certificate)),
                    TlsKey.pem(cert, key),
                    told,
                )
                withServer { peer, subject ->
                    val old = connector.connect(peer.backend(name))
                    old.echoes()
                    subject() shouldBe "CN=first"
                    authority.issue("second").writePem(cert, key)
                    val new = connector.connect(peer.backend(name))
                    new.echoes()
                    subject() shouldBe "CN=second"
                    old.echoes()
                    told.reloaded shouldBe listOf("trust given(1 certificates), key pem($cert, $key)")
                    connector.close(connector.connect(peer.backend(name)))
                    told.reloaded shouldHaveSize 1
                    connector.close(old)
                    connector.close(new)
                }
                told.failed.shouldBeEmpty()
            }
        }

        test("a broken or half-replaced key is reported once, and the former one stays in use") {
            inDirectory { directory ->
                val (cert, key) = listOf("c.pem", "k.pem").map(directory::resolve)
                val told = Told()
                authority.issue("first").writePem(cert, key)
                val connector = connector(
                    TlsTrust.certificates(listOf(authority.certificate)),
                    TlsKey.pem(cert, key),
                    told,
                )
                withServer { peer, subject ->
                    suspend fun connects(expected: String) {
                        val connection = connector.connect(peer.backend(name))
                        connection.echoes()
                        subject() shouldBe expected
                        connector.close(connection)
                    }
                    connects("CN=first")
                    val second = authority.issue("second")
                    second.writePem(cert, directory.resolve("later.pem"))
                    repeat(3) { connects("CN=first") }
                    told.failed.single().message!! shouldContain "the key is not the one of the certificate CN=second"
                    val broken =
                        listOf(
                            "",
                            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                            "x".repeat(2_000_000),
                        )
                    for (text in broken) {
                        Files.writeString(key, text)
                        connects("CN=first")
                    }
                    Files.delete(key)
                    connects("CN=first")
                    told.failed shouldHaveSize 5
                    second.writePem(cert, key)
                    connects("CN=second")
                    told.reloaded shouldHaveSize 1
                }
            }
        }

        test("an authority that is replaced on disk is the one that is trusted") {
            inDirectory { directory ->
                val ca = directory.resolve("ca.pem")
                val other = TestCertificates("Other CA")
                other.writePem(ca)
                leavingNothing {
                    TlsPeer.tls(server).use { peer ->
                        val connector = connector(TlsTrust.pem(ca))
                        shouldThrow<TcpException.TlsUntrusted> { connector.connect(peer.backend(name)) }
                        authority.writePem(ca)
                        connector.close(connector.connect(peer.backend(name)))
                        other.writePem(ca)
                        shouldThrow<TcpException.TlsUntrusted> { connector.connect(peer.backend(name)) }
                    }
                }
            }
        }

        test("files are not looked at again before the interval has passed") {
            inDirectory { directory ->
                val ca = directory.resolve("ca.pem")
                authority.writePem(ca)
                leavingNothing {
                    TlsPeer.tls(server).use { peer ->
                        val connector = connector(TlsTrust.pem(ca), interval = Duration.INFINITE)
                        connector.close(connector.connect(peer.backend(name)))
                        Files.delete(ca)
                        connector.close(connector.connect(peer.backend(name)))
                    }
                }
            }
        }

        test("what is wrong with a file is said, without a password") {
            inDirectory { directory ->
                val (cert, key) = listOf("c.pem", "k.pem").map(directory::resolve)
                val client = authority.issue("client")
                client.writePem(cert, key)
                val plain = Files.readString(key)
                val cases = mapOf(
                    plain + plain to "2 private keys in $key, one is needed",
                    plain.replace("PRIVATE", "EC PRIVATE") to "only PKCS #8 is read",
                    encrypted(client, "pw") to "the private key in $key needs a password",
                )
                val trust = TlsTrust.certificates(listOf(authority.certificate))
                leavingNothing {
                    TlsPeer.tls(server).use { peer ->
                        for ((text, message) in cases) {
                            Files.writeString(key, text)
                            val failing = connector(trust, TlsKey.pem(cert, key))
                            shouldThrow<TcpException.TlsMaterial> {
                                failing.connect(peer.backend(name))
                            }.message!! shouldContain
                                message
                        }
                        Files.writeString(key, encrypted(client, "pw"))
                        val wrong = connector(trust, TlsKey.pem(cert, key, Secret.of("c4n4ry")))
                        val failure = shouldThrow<TcpException.TlsMaterial> { wrong.connect(peer.backend(name)) }
                        failure.stackTraceToString() shouldNotContain "c4n4ry"
                        val swapped = connector(TlsTrust.pem(key))
                        shouldThrow<TcpException.TlsMaterial> {
                            swapped.connect(peer.backend(name))
                        }.message!! shouldContain
                            "no certificate in $key"
                    }
                }
            }
        }
    })

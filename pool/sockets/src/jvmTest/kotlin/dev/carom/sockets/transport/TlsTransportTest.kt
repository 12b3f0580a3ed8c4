package dev.carom.sockets.transport

import dev.carom.pool.net.TlsClientAuth
import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import dev.carom.pool.testkit.TestCertificates
import dev.carom.pool.testkit.TestIdentity
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import java.io.IOException
import javax.net.ssl.SSLException
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

class TlsTransportTest :
    FunSpec({
        val authority = TestCertificates("authority")
        val stranger = TestCertificates("stranger")

        fun trust(by: TestCertificates = authority) = TlsTrust.certificates(listOf(by.certificate))

        fun key(identity: TestIdentity) = TlsKey.of(identity.chain, identity.privateKey)

        val server = TlsPolicy(trust = trust(), key = key(authority.issue("localhost", "127.0.0.1")))
        val client = TlsPolicy(trust = trust())

        for ((engine, tcp) in mapOf("nio" to NioTransports.tcp(), "ktor" to KtorTransports.tcp())) {
            class World(serverPolicy: TlsPolicy = server, private val clientPolicy: TlsPolicy = client) {
                val door = Door()
                private val listening = TlsTransports.over(tcp, serverPolicy)
                private val listener =
                    listening.listen(listening.address("tls+tcp://127.0.0.1:0", true), LinkOptions(), door)

                suspend fun dial(end: End = End(), options: LinkOptions = LinkOptions()): Pair<End, End> {
                    val address = bounded { door.bound.await() }
                    TlsTransports.over(tcp, clientPolicy).dial(address, options, end)
                    return end to bounded { door.came.receive() }
                }

                suspend fun close(vararg ends: End) {
                    // One after the other: whom the other leaves hears that it did so without a word.
                    for (end in ends.filter { it.open.isCompleted }) {
                        end.open.await().close()
                        bounded { end.closed.await() }
                    }
                    for (end in ends) bounded { end.closed.await() }
                    listener.close()
                    bounded { door.closed.await() } shouldBe null
                }
            }

            suspend fun refused(world: World): Pair<Throwable?, Throwable?> {
                val (here, there) = world.dial()
                val causes = bounded { here.closed.await() } to bounded { there.closed.await() }
                world.close()
                return causes
            }

            test("$engine: what is said arrives, both ways, and who the server is is known") {
                val world = World()
                val (here, there) = world.dial()
                val link = bounded { here.open.await() }
                link.identity!! shouldContain "localhost"
                link.say("hello")
                there.until { there.bytes().decodeToString() == "hello" }
                bounded { there.open.await() }.say("welcome")
                here.until { here.bytes().decodeToString() == "welcome" }
                // That it is written may be counted after it was heard.
                eventually(20.seconds) { link.unwritten shouldBe 0 }
                world.close(here, there)
                here.closed.await() shouldBe null
            }

            test("$engine: one side says its end, and the other may still speak") {
                val world = World()
                val (here, there) = world.dial()
                bounded { here.open.await() }.apply {
                    say("last")
                    finish()
                }
                bounded { there.ended.await() }
                there.bytes().decodeToString() shouldBe "last"
                bounded { there.open.await() }.apply {
                    say("answer")
                    finish()
                }
                bounded { here.ended.await() }
                here.bytes().decodeToString() shouldBe "answer"
                world.close(here, there)
            }

            test("$engine: megabytes pass whole, also while the reader pauses, and each refusal is made good once") {
                val world = World()
                val (here, there) = world.dial(options = LinkOptions(sendBuffer = 1 shl 16))
                val link = bounded { here.open.await() }
                val reading = bounded { there.open.await() }
                reading.pause()
                val bytes = Random(1).nextBytes(4 shl 20)
                var refusals = 0
                for (from in bytes.indices step CHUNK) {
                    val welcome = link.write(bytes.copyOfRange(from, from + 5), 5, bytes, from + 5, from + CHUNK)
                    if (!welcome) refusals++
                    link.flush()
                }
                reading.resume()
                there.until { there.bytes().size == bytes.size }
                there.bytes().contentEquals(bytes) shouldBe true
                here.until { here.writable.get() == refusals }
                world.close(here, there)
            }

            test("$engine: a server whose certificate nobody trusts is left, and hears why") {
                val (here, there) = refused(World(clientPolicy = TlsPolicy(trust = trust(stranger))))
                here.shouldBeInstanceOf<SSLException>()
                there.shouldBeInstanceOf<SSLException>()
            }

            test("$engine: a server that has another name is left") {
                val other = TlsPolicy(trust = trust(), key = key(authority.issue("elsewhere.test")))
                refused(World(serverPolicy = other)).first.shouldBeInstanceOf<SSLException>()
            }

            test("$engine: a client must prove who it is if the server wants it to, and is known then") {
                val strict = TlsPolicy(trust = server.trust, key = server.key, clientAuth = TlsClientAuth.NEED)
                val known = TlsPolicy(trust = trust(), key = key(authority.issue("client-7")))
                val world = World(strict, known)
                val (here, there) = world.dial()
                bounded { there.open.await() }.identity!! shouldContain "client-7"
                // The server may have heard the client's last word before the client knows that it is open.
                bounded { here.open.await() }
                world.close(here, there)
                refused(World(strict)).second.shouldBeInstanceOf<SSLException>()
            }

            test("$engine: a peer that speaks no TLS is refused, and so is one that just leaves") {
                val world = World()
                val address = bounded { world.door.bound.await() }
                for (noise in listOf("GET / HTTP/1.1\r\n\r\n", "")) {
                    val plain = End { link -> if (noise.isEmpty()) link.close() else link.say(noise) }
                    tcp.dial(tcp.address("tcp://127.0.0.1:${address.port}", false), LinkOptions(), plain)
                    val there = bounded { world.door.came.receive() }
                    if (noise.isNotEmpty()) {
                        bounded { plain.ended.await() }
                        bounded { plain.open.await() }.close()
                    }
                    bounded { there.closed.await() }.shouldBeInstanceOf<IOException>()
                    bounded { plain.closed.await() }
                }
                world.close()
            }

            test("$engine: to listen a key is needed") {
                val keyless = TlsTransports.over(tcp, client)
                shouldThrow<IllegalStateException> {
                    keyless.listen(keyless.address("tls+tcp://127.0.0.1:0", true), LinkOptions(), Door())
                }
            }
        }

        test("without a host there is no name to prove") {
            shouldThrow<IllegalArgumentException> { TlsTransports.over(KtorTransports.ipc(), client) }
        }
    }) {
    private companion object {
        const val CHUNK = 1 shl 17

        fun Transport.address(url: String, bind: Boolean) = SocketAddress.parse(url, addressing, bind)
    }
}

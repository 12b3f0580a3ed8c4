package dev.carom.sockets.internal.ktor

import dev.carom.pool.testkit.LeakCheckListener
import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.Door
import dev.carom.sockets.transport.End
import dev.carom.sockets.transport.Framing
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.bounded
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.net.InetAddress
import java.util.concurrent.CountDownLatch

class KtorLookupTest :
    FunSpec({
        extension(LeakCheckListener())

        test("a name whose lookup hangs and cannot be interrupted keeps neither a link nor a listener from closing") {
            val answer = CountDownLatch(1)
            val asked = CountDownLatch(2)

            fun hang(@Suppress("UNUSED_PARAMETER") host: String): List<InetAddress> {
                asked.countDown()
                while (true) {
                    try {
                        answer.await()
                        return emptyList()
                    } catch (_: InterruptedException) {
                        // As the system's resolver: it does not hear that.
                    }
                }
            }

            val addresses = KtorAddresses.Tcp(::hang)
            val tcp = KtorTransport("tcp", Addressing.HostPort, Framing.Stream, KtorReactor(), addresses)
            val place = SocketAddress.hostPort("tcp", "nowhere.test", 1)
            val (door, here) = Door() to End()
            val link = tcp.dial(place, LinkOptions(), here)
            val listener = tcp.listen(place, LinkOptions(), door)
            asked.await()
            link.close()
            listener.close()
            bounded { here.closed.await() } shouldBe null
            bounded { door.closed.await() } shouldBe null
            answer.countDown()
        }
    })

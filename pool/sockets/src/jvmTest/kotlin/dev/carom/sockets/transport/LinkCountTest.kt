package dev.carom.sockets.transport

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel

/** A link knows which messages are lost with it. */
class LinkCountTest :
    FunSpec({
        extension(LeakCheckListener())

        for ((engine, tcp) in mapOf("nio" to NioTransports.tcp(), "ktor" to KtorTransports.tcp())) {
            test("$engine: what the system has not taken when the link closes is counted, to the message") {
                ServerSocketChannel.open().bind(InetSocketAddress("127.0.0.1", 0)).use { server ->
                    val here = End()
                    val port = (server.localAddress as InetSocketAddress).port
                    val link = tcp.dial(SocketAddress.hostPort("tcp", "127.0.0.1", port), LinkOptions(), here)
                    val peer = withContext(Dispatchers.IO) { server.accept() }
                    bounded { here.open.await() }
                    val message = ByteArray(10_007)
                    var written = 0
                    do {
                        written++
                        val welcome = link.say(message)
                        link.flush()
                    } while (welcome)
                    link.close()
                    bounded { here.closed.await() } shouldBe null
                    link.unwritten shouldBeGreaterThan 0
                    // What the system has, it brings there after the end.
                    peer.use { it.readAll() } / message.size shouldBe written - link.unwritten
                }
            }
        }
    })

/** How many bytes there are until the end. */
private suspend fun SocketChannel.readAll(): Int = withContext(Dispatchers.IO) {
    val buffer = ByteBuffer.allocate(1 shl 16)
    var all = 0
    while (true) {
        val count = read(buffer.clear())
        if (count < 0) break
        all += count
    }
    all
}

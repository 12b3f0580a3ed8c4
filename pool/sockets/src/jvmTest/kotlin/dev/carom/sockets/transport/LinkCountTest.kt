package dev.carom.sockets.transport

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.net.InetSocketAddress
import java.net.StandardSocketOptions
import java.nio.ByteBuffer
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel

/** A link knows which messages are lost with it. */
class LinkCountTest :
    FunSpec({
        extension(LeakCheckListener())

        for ((engine, tcp) in mapOf("nio" to NioTransports.tcp(), "ktor" to KtorTransports.tcp())) {
            test("$engine: what the system has not taken when the link closes is counted, to the message") {
                ServerSocketChannel.open().use { server ->
                    server.setOption(StandardSocketOptions.SO_RCVBUF, FEW)
                    server.bind(InetSocketAddress("127.0.0.1", 0))
                    val here = End()
                    val port = (server.localAddress as InetSocketAddress).port
                    val options = LinkOptions(systemSendBuffer = FEW)
                    val link = tcp.dial(SocketAddress.hostPort("tcp", "127.0.0.1", port), options, here)
                    val peer = withContext(Dispatchers.IO) { server.accept() }
                    bounded { here.open.await() }
                    val message = ByteArray(10_007)
                    // Much more than the system takes.
                    val written = 400
                    repeat(written) {
                        link.say(message)
                        link.flush()
                    }
                    link.close()
                    bounded { here.closed.await() } shouldBe null
                    link.unwritten shouldBeGreaterThan 0
                    // What the system has, it brings there after the end.
                    peer.use { it.readAll() } / message.size shouldBe written - link.unwritten
                }
            }
        }
    })

/** Bytes that the system may keep, about. */
private const val FEW = 1 shl 16

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

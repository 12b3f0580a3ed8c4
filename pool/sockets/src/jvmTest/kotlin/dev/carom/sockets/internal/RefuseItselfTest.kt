package dev.carom.sockets.internal

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.net.ConnectException
import java.net.InetSocketAddress
import java.net.StandardSocketOptions
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel

class RefuseItselfTest :
    FunSpec({
        extension(LeakCheckListener())

        test("a port that the system connected to itself is refused, and free at once for its server") {
            SocketChannel.open().use { channel ->
                channel.bind(InetSocketAddress("127.0.0.1", 0))
                val port = channel.localAddress
                channel.connect(port) shouldBe true
                shouldThrow<ConnectException> { channel.refuseItself() }
                channel.isOpen shouldBe false
                ServerSocketChannel.open().use { server ->
                    // Otherwise it may bind what is in TIME-WAIT, too.
                    server.setOption(StandardSocketOptions.SO_REUSEADDR, false)
                    server.bind(port)
                }
            }
        }

        test("a connection to somebody else is left alone") {
            ServerSocketChannel.open().use { server ->
                server.bind(InetSocketAddress("127.0.0.1", 0))
                SocketChannel.open(server.localAddress).use { channel ->
                    channel.refuseItself()
                    channel.isOpen shouldBe true
                }
            }
        }
    })

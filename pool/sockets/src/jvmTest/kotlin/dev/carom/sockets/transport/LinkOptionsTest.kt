package dev.carom.sockets.transport

import dev.carom.pool.testkit.LeakCheckListener
import dev.carom.sockets.internal.ktor.KtorLink
import dev.carom.sockets.internal.nio.NioLink
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import jdk.net.ExtendedSocketOptions.TCP_KEEPCOUNT
import jdk.net.ExtendedSocketOptions.TCP_KEEPIDLE
import jdk.net.ExtendedSocketOptions.TCP_KEEPINTERVAL
import java.net.SocketOption
import java.net.StandardSocketOptions.SO_KEEPALIVE
import java.net.StandardSocketOptions.TCP_NODELAY
import java.nio.channels.SocketChannel
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What is asked for the system really has, at both ends. */
class LinkOptionsTest :
    FunSpec({
        extension(LeakCheckListener())

        for ((engine, tcp) in mapOf("nio" to NioTransports.tcp(), "ktor" to KtorTransports.tcp())) {
            suspend fun ends(options: LinkOptions, check: (SocketChannel) -> Unit) {
                val (door, here) = Door() to End()
                val listener = tcp.listen(SocketAddress.hostPort("tcp", "127.0.0.1", 0), options, door)
                tcp.dial(bounded { door.bound.await() }, options, here)
                val there = bounded { door.came.receive() }
                for (end in listOf(here, there)) {
                    val link = bounded { end.open.await() }
                    check(checkNotNull((link as? NioLink)?.channel ?: (link as KtorLink).channel))
                    link.close()
                    bounded { end.closed.await() }
                }
                listener.close()
                bounded { door.closed.await() }
            }

            test("$engine: silent peers are probed as the options say") {
                val options = LinkOptions(
                    keepAliveIdle = 7.seconds,
                    keepAliveInterval = 2.seconds,
                    keepAliveCount = 4,
                )
                ends(options) { channel ->
                    channel.has(SO_KEEPALIVE, true)
                    channel.has(TCP_NODELAY, true)
                    channel.has(TCP_KEEPIDLE, 7)
                    channel.has(TCP_KEEPINTERVAL, 2)
                    channel.has(TCP_KEEPCOUNT, 4)
                }
            }

            test("$engine: by default a peer that is gone is given up after 45 s, and need not be probed at all") {
                ends(LinkOptions()) { channel ->
                    channel.has(SO_KEEPALIVE, true)
                    channel.has(TCP_KEEPIDLE, 30)
                    channel.has(TCP_KEEPINTERVAL, 5)
                    channel.has(TCP_KEEPCOUNT, 3)
                }
                ends(LinkOptions(keepAlive = false)) { it.has(SO_KEEPALIVE, false) }
            }
        }

        test("what is out of bounds is refused with the value and the bound") {
            shouldThrow<IllegalArgumentException> { LinkOptions(keepAliveIdle = 1_500.milliseconds) }.message shouldBe
                "keepAliveIdle must be whole seconds in 0..32767, was 1.5s"
            shouldThrow<IllegalArgumentException> { LinkOptions(keepAliveInterval = Duration.INFINITE) }
            shouldThrow<IllegalArgumentException> { LinkOptions(keepAliveCount = 128) }.message shouldBe
                "keepAliveCount must be in 0..127, was 128"
        }
    })

private fun <T> SocketChannel.has(option: SocketOption<T>, value: T) {
    if (option in supportedOptions()) getOption(option) shouldBe value
}

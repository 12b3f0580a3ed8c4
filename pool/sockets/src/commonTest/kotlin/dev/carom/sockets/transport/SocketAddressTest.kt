package dev.carom.sockets.transport

import dev.carom.sockets.SocketException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class SocketAddressTest :
    FunSpec({
        fun connect(url: String) = SocketAddress.parse(url, Addressing.HostPort, bind = false)

        fun bind(url: String) = SocketAddress.parse(url, Addressing.HostPort, bind = true)

        test("a host and a port, a numeric address of either family, a local address in front") {
            connect("TCP://Example.com:80").run { listOf(scheme, host, port, local) } shouldBe
                listOf("tcp", "Example.com", 80, null)
            connect("tcp://[::1]:5555").run { listOf(host, port, toString()) } shouldBe
                listOf("::1", 5555, "tcp://[::1]:5555")
            connect("tcp://127.0.0.1;10.0.0.1:1").run { listOf(local, host, toString()) } shouldBe
                listOf("127.0.0.1", "10.0.0.1", "tcp://127.0.0.1;10.0.0.1:1")
            bind("tcp://*:0").run { listOf(host, port) } shouldBe listOf("*", 0)
            bind("tcp://:5555").host shouldBe ""
            bind("tcp://*:0").withPort(7) shouldBe bind("tcp://*:7")
        }

        test("a path and a name are what stands behind the scheme") {
            SocketAddress.parse("ipc:///tmp/x y", Addressing.Path, bind = true).path shouldBe "/tmp/x y"
            SocketAddress.parse("inproc://A b:;", Addressing.Name, bind = false).toString() shouldBe "inproc://A b:;"
            shouldThrow<SocketException.InvalidAddress> {
                SocketAddress.parse("ipc:///" + "x".repeat(107), Addressing.Path, bind = true)
            }.message shouldContain "108 bytes, at most 107"
            SocketAddress.parse("ipc:///" + "x".repeat(106), Addressing.Path, bind = true).path.length shouldBe 107
        }

        test("what is malformed is refused with the reason") {
            val malformed = listOf(
                "tcp://*:",
                "tcp://*:1000000",
                "tcp://*:some_port",
                "tcp://*:5555",
                "tcp://127.0.0.1",
                "tcp://:5555",
                "tcp://-hostname:5555",
                "tcp://abc.123.---.#:5555",
                "tcp://abc...123:5555",
                "tcp://.123:5555",
                "tcp://127.0.0.1:0",
                "tcp://eth10000;127.0.0.1:5555",
                "tcp://[::1:5555",
                "tcp://::1:5555",
                "tcp://[1.2.3.4]:5555",
                "tcp://" + "a".repeat(64) + ":1",
                "tcp://" + "a.".repeat(128) + "a:1",
                "tcp://",
                "://x:1",
                "127.0.0.1:5555",
            )
            for (url in malformed) shouldThrow<SocketException.InvalidAddress> { connect(url) }.url shouldBe url
            for (url in listOf(
                "tcp://127.0.0.1:",
                "tcp://127.0.0.1:1000000",
                "tcp://127.0.0.1;0.0.0.0:1",
                "tcp://*:-1",
            )) {
                shouldThrow<SocketException.InvalidAddress> { bind(url) }
            }
        }

        test("a scheme without transport is refused, and the message says which there are") {
            shouldThrow<SocketException.UnknownScheme> { Transports().address("bogus://x:1", bind = false) }
                .message shouldContain "bogus://x:1"
        }
    })

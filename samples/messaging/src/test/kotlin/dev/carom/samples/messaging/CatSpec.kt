package dev.carom.samples.messaging

import dev.carom.samples.messaging.cat.Cat
import dev.carom.samples.messaging.cat.Format
import dev.carom.samples.messaging.cat.SpcatOptions
import dev.carom.samples.messaging.demo.AnswerLog
import dev.carom.samples.messaging.demo.ShopBackend.Companion.openShopBackend
import dev.carom.samples.messaging.demo.ShopZone
import dev.carom.sockets.SocketEndpoint
import dev.carom.sockets.openPullSocket
import dev.carom.sockets.openPushSocket
import dev.carom.sockets.openRepSocket
import dev.carom.sockets.serve
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import picocli.CommandLine
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import kotlin.time.Duration.Companion.seconds

class CatSpec :
    FunSpec({
        suspend fun live(block: suspend CoroutineScope.() -> Unit) = withContext(Dispatchers.Default) {
            withTimeout(60.seconds) { coroutineScope { block() } }
        }

        test("each format shows a message as nanocat does") {
            val message = "a\"\n\u0001".encodeToByteArray()
            Format.No.of(message).size shouldBe 0
            Format.Raw.of(message) shouldBe message
            Format.Ascii.of(message).decodeToString() shouldBe "a\"..\n"
            Format.Quoted.of(message).decodeToString() shouldBe "\"a\\\"\\n\\x01\"\n"
            Format.Hex.of(message).decodeToString() shouldBe "\"\\x61\\x22\\x0A\\x01\"\n"
            Format.Msgpack.of(ByteArray(3)).toList() shouldBe listOf<Byte>(0xC4.toByte(), 3, 0, 0, 0)
            Format.Msgpack.of(ByteArray(256)).take(3) shouldBe listOf(0xC5.toByte(), 1, 0)
        }

        test("spcat asks a name, and whoever DNS lists there answers") {
            live {
                ShopZone().use { zone ->
                    val backend = openShopBackend("shop", AnswerLog())
                    zone.list(listOf(backend))
                    val asked = spcat("--req --resolve _ask._tcp.shop.test --nameserver ${zone.address} -D open? -Q")
                    asked shouldBe Ran(0, "\"open?@shop\"\n", "")
                    backend.stop()
                }
            }
        }

        test("spcat sends what it was told before it exits, and receives as many as it should") {
            live {
                val pull = openPullSocket("pull")
                val url = pull.bind("tcp://127.0.0.1:0").url
                repeat(5) { spcat("--push --connect $url -D job$it").code shouldBe 0 }
                List(5) { pull.receive().decodeToString() }.sorted() shouldBe List(5) { "job$it" }
                pull.close()
                val push = openPushSocket("push")
                val bound: SocketEndpoint = push.bind("tcp://127.0.0.1:0")
                launch { repeat(2) { push.send("m$it".encodeToByteArray()) } }
                spcat("--pull --connect ${bound.url} -A -C 2") shouldBe Ran(0, "m0\nm1\n", "")
                push.close()
            }
        }

        test("spcat answers with its data") {
            live {
                val rep = openRepSocket("rep")
                val url = rep.bind("tcp://127.0.0.1:0").url
                val serving = launch { rep.serve { "pong".encodeToByteArray() } }
                spcat("--req --dial $url -D ping -i 0.01 -C 3 --ascii") shouldBe Ran(0, "pong\n".repeat(3), "")
                rep.close()
                serving.join()
            }
        }

        test("spcat fails when nothing comes in time, and says so") {
            live {
                val ran = spcat("--pull --bind tcp://127.0.0.1:0 --recv-timeout 0.05")
                ran.code shouldBe 1
                ran.err shouldContain "no message came within 50 ms"
                spcat("--req --bind nonsense -D x").err shouldContain "nonsense"
            }
        }
    })

private data class Ran(val code: Int, val out: String, val err: String)

private suspend fun spcat(line: String): Ran {
    val options = SpcatOptions()
    CommandLine(options).parseArgs(*line.split(' ').toTypedArray())
    val out = ByteArrayOutputStream()
    val err = ByteArrayOutputStream()
    val code = Cat(options, out, PrintStream(err)).run()
    return Ran(code, out.toString(), err.toString())
}

package dev.carom.sockets.internal.wire

import dev.carom.sockets.Protocol
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class FrameParserTest :
    FunSpec({
        fun lengthOf(value: ULong) = ByteArray(8) { (value shr (56 - 8 * it)).toByte() }

        fun FrameParser.all(input: ByteArray): List<Body> =
            ArrayList<Body>().also { read -> feed(input) { read.add(it) } }

        test("a length over the limit is refused before anything is allocated") {
            for (length in listOf(1_048_577UL, 1UL shl 32, 1UL shl 60, 1UL shl 63, ULong.MAX_VALUE)) {
                val parser = FrameParser(Layout.Stream)
                parser.all(lengthOf(length)) shouldBe emptyList()
                parser.violation shouldBe Violation.TooLarge(length, 1_048_576, head = null)
                parser.allocated shouldBe 0
            }
        }

        test("what the limit allows arrives, one byte more does not") {
            for (size in listOf(3, 4)) {
                val parser = FrameParser(Layout.Stream, limit = 4)
                parser.all(lengthOf(size.toULong()) + ByteArray(size)).single().size shouldBe size
                parser.violation shouldBe null
            }
            val parser = FrameParser(Layout.Stream, limit = 4)
            parser.all(lengthOf(5UL) + bytes("80 00 00 07 00")) shouldBe emptyList()
            parser.violation shouldBe Violation.TooLarge(5UL, 4, head = 0x80000007.toInt())
        }

        test("an announcement costs no more than what has come") {
            val parser = FrameParser(Layout.Stream)
            parser.all(lengthOf(1_048_576UL))
            parser.allocated shouldBe 0
            for (come in 1..10_000) {
                parser.all(ByteArray(1))
                parser.allocated shouldBeLessThanOrEqual maxOf(1024, 2 * come)
            }
        }

        test("an unknown type of IPC message is refused at its first byte") {
            for (type in listOf(0, 2, 255)) {
                val parser = FrameParser(Layout.Ipc)
                parser.all(byteArrayOf(type.toByte()))
                parser.violation shouldBe Violation.UnknownType(type)
            }
        }

        test("a parser that is told to stop takes the rest later") {
            val parser = FrameParser(Layout.Stream)
            val input = lengthOf(1UL) + bytes("41") + lengthOf(1UL) + bytes("42")
            val read = ArrayList<Body>()
            val at = parser.feed(input) {
                read += it
                false
            }
            at shouldBe 9
            parser.feed(input, from = at) { read.add(it) } shouldBe 18
            read.map { it[0].toInt() } shouldBe listOf(0x41, 0x42)
        }

        test("a stream that ends inside a frame is not at a boundary") {
            val whole = lengthOf(2UL) + ByteArray(2)
            for (cut in whole.indices) {
                val parser = FrameParser(Layout.Stream)
                parser.all(whole.copyOf(cut)) shouldBe emptyList()
                parser.atBoundary shouldBe (cut == 0)
            }
        }

        test("a thousand empty frames cost nothing") {
            val parser = FrameParser(Layout.Stream)
            parser.all(ByteArray(8_000)).size shouldBe 1_000
            parser.allocated shouldBe 0
        }

        test("however a stream is chopped, the same frames come out") {
            for (seed in 1..2_000) {
                val random = Random(seed)
                val framing = Layout.entries.random(random)
                val sent = List(random.nextInt(1, 8)) { random.nextBytes(random.nextInt(if (it == 0) 5_000 else 20)) }
                val stream = sent.fold(ByteArray(0)) { all, it -> all + framing.prefix(Frame(Body(it))) + it }
                val parser = FrameParser(framing)
                val read = ArrayList<Body>()
                var at = 0
                while (at < stream.size) {
                    val to = minOf(stream.size, at + random.nextInt(1, if (seed % 2 == 0) 3 else 3_000))
                    at = parser.feed(stream, at, to) { read.add(it) }
                }
                withClue("seed $seed") { read shouldBe sent.map { Body(it) } }
            }
        }

        test("a handshake may trickle in; each wrong byte is refused when it comes") {
            val good = HandshakeParser.bytesOf(Protocol.Rep)
            for (index in good.indices) {
                for (wrong in listOf(1, 0x80)) {
                    val parser = HandshakeParser(Protocol.Req)
                    val bad = good.copyOf().also { it[index] = (it[index].toInt() xor wrong).toByte() }
                    for (i in bad.indices) parser.feed(bad, i, i + 1)
                    parser.done shouldBe false
                    (parser.violation != null) shouldBe true
                }
            }
            val parser = HandshakeParser(Protocol.Req)
            for (i in good.indices) {
                parser.done shouldBe false
                parser.feed(good + bytes("FF FF"), i, i + 1) shouldBe i + 1
            }
            parser.done shouldBe true
            parser.feed(bytes("FF FF")) shouldBe 0
            parser.violation shouldBe null
        }

        test("300,000 random inputs: no exception, and never more allocated than twice what came") {
            val random = Random(20261121)
            repeat(300_000) { round ->
                val limit = if (round % 3 == 0) 64 else Layout.DEFAULT_LIMIT
                val parser = FrameParser(Layout.entries[round % 2], limit)
                val handshake = HandshakeParser(Protocol.entries[round % Protocol.entries.size])
                val input = random.nextBytes(random.nextInt(64))
                // Mostly plausible prefixes, or hardly any input would get past the first byte.
                if (round % 4 !=
                    0
                ) {
                    for (i in 0 until minOf(8, input.size)) input[i] = if (i == 0) (round % 2).toByte() else 0
                }
                val split = if (input.isEmpty()) 0 else random.nextInt(input.size + 1)
                handshake.feed(input)
                for ((from, to) in listOf(0 to split, split to input.size)) {
                    parser.feed(input, from, to) { frame ->
                        Backtrace.read(frame, maxHops = 1 + round % 8)
                        frame.size <= limit
                    }
                }
                check(parser.allocated <= maxOf(1024, 2 * input.size)) { "round $round: ${parser.allocated}" }
            }
        }
    })

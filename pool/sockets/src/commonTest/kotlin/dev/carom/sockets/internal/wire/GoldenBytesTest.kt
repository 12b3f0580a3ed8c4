package dev.carom.sockets.internal.wire

import dev.carom.sockets.Protocol
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf

/** Bytes as other implementations write them. */
class GoldenBytesTest :
    FunSpec({
        val handshakes = mapOf(
            Protocol.Pair to "00 53 50 00 00 10 00 00",
            Protocol.PairV1 to "00 53 50 00 00 11 00 00",
            Protocol.Pub to "00 53 50 00 00 20 00 00",
            Protocol.Sub to "00 53 50 00 00 21 00 00",
            Protocol.Req to "00 53 50 00 00 30 00 00",
            Protocol.Rep to "00 53 50 00 00 31 00 00",
            Protocol.Push to "00 53 50 00 00 50 00 00",
            Protocol.Pull to "00 53 50 00 00 51 00 00",
            Protocol.Surveyor to "00 53 50 00 00 62 00 00",
            Protocol.Respondent to "00 53 50 00 00 63 00 00",
            Protocol.Bus to "00 53 50 00 00 70 00 00",
        )

        test("each protocol greets with its own eight bytes") {
            handshakes.keys shouldBe Protocol.entries.toSet()
            for ((protocol, bytes) in handshakes) HandshakeParser.bytesOf(protocol).hex() shouldBe bytes
        }

        test("each protocol listens to its peer and to nobody else") {
            for (own in Protocol.entries) {
                for ((other, bytes) in handshakes) {
                    val parser = HandshakeParser(own)
                    parser.feed(bytes(bytes))
                    parser.done shouldBe (other == own.peer)
                    if (other != own.peer) parser.violation shouldBe Violation.WrongPeer(own, other.code)
                }
            }
        }

        test("the older survey pair is nobody's peer") {
            for (code in listOf(0x60, 0x61)) Protocol.ofCode(code) shouldBe null
        }

        val frames = listOf(
            Triple(Layout.Stream, Frame(Body(bytes("AA BB CC"))), "00 00 00 00 00 00 00 03 AA BB CC"),
            Triple(Layout.Ipc, Frame(Body(bytes("AA BB CC"))), "01 00 00 00 00 00 00 00 03 AA BB CC"),
            Triple(Layout.Stream, Frame(Body(ByteArray(0))), "00 00 00 00 00 00 00 00"),
            Triple(
                Layout.Stream,
                Frame(intArrayOf(0x80000001.toInt()), Body(bytes("41 42"))),
                "00 00 00 00 00 00 00 06 80 00 00 01 41 42",
            ),
            Triple(
                Layout.Ipc,
                Frame(intArrayOf(7, 0x8000002A.toInt()), Body(bytes("FF"))),
                "01 00 00 00 00 00 00 00 09 00 00 00 07 80 00 00 2A FF",
            ),
            Triple(
                Layout.Stream,
                Frame(intArrayOf(1), Body(bytes("68 69"))),
                "00 00 00 00 00 00 00 06 00 00 00 01 68 69",
            ),
        )

        test("frames are written and read as they stand in the mapping") {
            for ((framing, frame, bytes) in frames) {
                (framing.prefix(frame) + frame.body.toByteArray()).hex() shouldBe bytes
                val parser = FrameParser(framing)
                val read = ArrayList<Body>()
                parser.feed(bytes(bytes)) { read.add(it) }
                read.single().toByteArray().hex() shouldBe bytes.drop(3 * framing.prefixSize)
                parser.atBoundary shouldBe true
            }
        }

        test("a way back is read down to the id, and no further") {
            val way = Backtrace.read(Body(bytes("00 00 00 07 80 00 00 2A 80 00 00 00 41")), maxHops = 8)
            way.shouldBeInstanceOf<Backtrace.Complete>()
            way.words.toList() shouldBe listOf(7, 0x8000002A.toInt())
            way.body.toByteArray().hex() shouldBe "80 00 00 00 41"
        }

        test("a way back has as many words as hops are allowed") {
            val twoHops = Body(bytes("00 00 00 07 80 00 00 2A"))
            Backtrace.read(twoHops, maxHops = 1) shouldBe Backtrace.TooLong
            Backtrace.read(twoHops, maxHops = 2).shouldBeInstanceOf<Backtrace.Complete>()
            val short = Body(bytes("00 00 00 07"))
            Backtrace.read(short, maxHops = 8) shouldBe Backtrace.Broken(Violation.ShortHeader(4))
        }
    })

internal fun bytes(hex: String): ByteArray =
    if (hex.isBlank()) ByteArray(0) else hex.split(' ').map { it.toInt(16).toByte() }.toByteArray()

internal fun ByteArray.hex(): String =
    joinToString(" ") { (it.toInt() and 0xFF).toString(16).uppercase().padStart(2, '0') }

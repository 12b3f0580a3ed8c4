package dev.carom.gossip.resolver

import dev.carom.gossip.PacketWriter
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.random.Random

class OffersTest :
    FunSpec({
        val whole = Offer("web", 8080, "2001:db8::1", "zone-a", 3, 7, true, mapOf("version" to "1.2", "ü" to "größe"))

        test("offers come back as they were written, in a few bytes") {
            for (offers in listOf(
                emptyList(),
                listOf(Offer("web", 1)),
                listOf(whole, Offer("db", 65_535, weight = 0)),
            )) {
                Offers.decode(Offers.encode(offers)) shouldBe offers
            }
            Offers.encode(listOf(Offer("web", 8080))).size shouldBeLessThan 20
        }

        test("what a later version appends to an offer is passed over") {
            val writer = PacketWriter(100)
            writer.byte(0xCA)
            writer.byte(1)
            writer.varint(1)
            val old = Offers.encode(listOf(Offer("web", 80)))
            writer.varint(old[3] + 5L)
            writer.bytes(old.copyOfRange(4, old.size))
            writer.string("more")
            Offers.decode(writer.toByteArray()) shouldBe listOf(Offer("web", 80))
        }

        test("metadata of others, cut or changed bytes never throw, and never make more than there is") {
            Offers.decode(ByteArray(0)).shouldBeNull()
            Offers.decode("role=web".encodeToByteArray()).shouldBeNull()
            val bytes = Offers.encode(listOf(whole, whole))
            for (size in bytes.indices) Offers.decode(bytes.copyOf(size)).shouldBeNull()
            Offers.decode(bytes + 0).shouldBeNull()
            val random = Random(1)
            repeat(20_000) {
                val changed = bytes.copyOf()
                repeat(random.nextInt(1, 4)) { changed[random.nextInt(changed.size)] = random.nextInt().toByte() }
                Offers.decode(changed)
                Offers.decode(byteArrayOf(0xCA.toByte(), 1) + random.nextBytes(random.nextInt(64)))
            }
        }

        test("what does not fit, or is out of bounds, is refused with the number") {
            val long = Offer("web", 80, tags = mapOf("x" to "y".repeat(9_000)))
            shouldThrow<IllegalArgumentException> { Offers.encode(listOf(long)) }.message!! shouldContain "8192"
            shouldThrow<IllegalArgumentException> { Offers.encode(List(257) { Offer("web", 80) }) }
                .message!! shouldContain "257"
            shouldThrow<IllegalArgumentException> { Offer("web", 0) }.message!! shouldContain "was 0"
            shouldThrow<IllegalArgumentException> { Offer("", 80) }
            shouldThrow<IllegalArgumentException> { Offer("web", 80, weight = 65_536) }
                .message!! shouldContain "65536"
            shouldThrow<IllegalArgumentException> { GossipResolverPolicy(suspectWeight = 101) }
                .message!! shouldContain "101"
        }
    })

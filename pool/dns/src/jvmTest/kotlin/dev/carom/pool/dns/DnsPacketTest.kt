package dev.carom.pool.dns

import dev.carom.pool.dns.internal.isAnswer
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import org.xbill.DNS.DClass
import org.xbill.DNS.Flags
import org.xbill.DNS.Message
import org.xbill.DNS.Name
import org.xbill.DNS.Rcode
import org.xbill.DNS.Record
import org.xbill.DNS.Section
import org.xbill.DNS.Type
import kotlin.random.Random

class DnsPacketTest :
    FunSpec({
        val query = message(7, "shop.test.", Type.A)
        val bytes = query.toWire()

        fun reply(id: Int = 7, name: String = "shop.test.", type: Int = Type.A, change: Message.() -> Unit = {}) =
            message(id, name, type).also { it.header.setFlag(Flags.QR.toInt()) }.apply(change).toWire()

        val table = mapOf(
            "the answer to the question" to (reply() to true),
            "the question in other letters" to (reply(name = "SHOP.tEsT.") to true),
            "another id" to (reply(id = 8) to false),
            "another name of the same length" to (reply(name = "shop.tesu.") to false),
            "a longer name" to (reply(name = "shop.test.a.") to false),
            "another type" to (reply(type = Type.AAAA) to false),
            "the question sent back" to (bytes to false),
            "an error without the question" to
                (reply { removeAllRecords(Section.QUESTION).also { header.rcode = Rcode.FORMERR } } to true),
            "no error, and no question" to (reply { removeAllRecords(Section.QUESTION) } to false),
            "nothing" to (ByteArray(0) to false),
            "a header cut in the middle" to (reply().copyOf(11) to false),
            "a question cut in the middle" to (reply().copyOf(20) to false),
        )
        for ((what, case) in table) {
            test("$what is ${if (case.second) "an answer" else "ignored"}") {
                isAnswer(bytes, case.first) shouldBe case.second
            }
        }

        test("no bytes whatever do more than be ignored, nearly always") {
            val dice = Random(11)
            val taken = (1..100_000).count {
                val noise = dice.nextBytes(dice.nextInt(64))
                // the id and the QR bit are right: the rest must be guessed
                if (noise.size > 2) {
                    bytes.copyInto(noise, 0, 0, 2)
                    noise[2] = -128
                }
                isAnswer(bytes, noise)
            }
            (taken < 10) shouldBe true
        }
    }) {
    private companion object {
        fun message(id: Int, name: String, type: Int): Message =
            Message.newQuery(Record.newRecord(Name.fromString(name), type, DClass.IN)).also { it.header.id = id }
    }
}

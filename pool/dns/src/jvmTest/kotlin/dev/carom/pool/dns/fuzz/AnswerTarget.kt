package dev.carom.pool.dns.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsType
import dev.carom.pool.dns.internal.Alias
import dev.carom.pool.dns.internal.isAnswer
import dev.carom.pool.dns.internal.read
import org.xbill.DNS.DClass
import org.xbill.DNS.Message
import org.xbill.DNS.Name
import org.xbill.DNS.Record
import org.xbill.DNS.Type

/**
 * What a name server says to a question for `shop.test.`; the first byte chooses the type. Whether it belongs to the
 * question never throws, and what the parser lets pass can be read to the end. dnsjava's objects are large: 1 KiB for
 * each byte of the packet, 256 KiB more for the first.
 */
internal class AnswerTarget : FuzzTarget(fixed = 1_048_576, perByte = 2_048) {
    override fun prepare(): (ByteArray) -> Unit = { if (it.isNotEmpty()) take(it) }

    private fun take(input: ByteArray) {
        val type = DnsType.entries[(input[0].toInt() and 0xFF) % DnsType.entries.size]
        val reply = input.copyOfRange(1, input.size)
        val query = Message.newQuery(Record.newRecord(NAME, Type.value(type.name), DClass.IN))
        query.header.id = 7
        isAnswer(query.toWire(), reply)
        val reading = read(parsed(reply) ?: return, Alias(NAME, Long.MAX_VALUE), type, mutableSetOf(NAME))
        if (reading.alias == null) checkRecords(reading.answer)
    }

    /** As the lookup does it: whatever the parser throws is the server's failure. */
    private fun parsed(reply: ByteArray): Message? = try {
        Message(reply)
    } catch (_: Exception) {
        null
    }

    private fun checkRecords(answer: DnsAnswer) {
        if (answer !is DnsAnswer.Records) return
        for (record in answer.records) check(record.ttlSeconds >= 0) { "$record" }
    }

    private companion object {
        val NAME: Name = Name.fromString("shop.test.")
    }
}

package dev.carom.pool.testkit

import org.xbill.DNS.ARecord
import org.xbill.DNS.CNAMERecord
import org.xbill.DNS.DClass
import org.xbill.DNS.Flags
import org.xbill.DNS.Header
import org.xbill.DNS.Message
import org.xbill.DNS.Name
import org.xbill.DNS.OPTRecord
import org.xbill.DNS.Rcode
import org.xbill.DNS.Record
import org.xbill.DNS.SOARecord
import org.xbill.DNS.SRVRecord
import org.xbill.DNS.Section
import org.xbill.DNS.Type
import java.net.InetAddress

/** Bytes that pretend to be an answer. */
internal class Forgery(val bytes: ByteArray, val elsewhere: Boolean)

/** From a question and a zone to the bytes of the answer, or null for silence. Pure but for its arguments. */
internal class DnsResponder(
    private val zone: DnsZone,
    private val behaviour: DnsBehaviour,
    private val additional: Boolean,
    private val mostRecords: Int = Int.MAX_VALUE,
) {
    fun respond(query: Message, tcp: Boolean): ByteArray? = when (behaviour) {
        DnsBehaviour.HANG -> null
        DnsBehaviour.GARBAGE -> garbage(query)
        DnsBehaviour.ANSWER -> sized(fromZone(query), query, tcp)
        DnsBehaviour.OVERSIZED -> fromZone(query).toWire(MAX_DATAGRAM)
        DnsBehaviour.SERVFAIL -> reply(query, Rcode.SERVFAIL).toWire()
        DnsBehaviour.REFUSED -> reply(query, Rcode.REFUSED).toWire()
        DnsBehaviour.NOTIMP -> reply(query, Rcode.NOTIMP).toWire()
        DnsBehaviour.EMPTY -> negative(query, Rcode.NOERROR).toWire()
        DnsBehaviour.NXDOMAIN -> negative(query, Rcode.NXDOMAIN).toWire()
        DnsBehaviour.NO_EDNS -> if (query.opt != null) bare(query) else sized(fromZone(query), query, tcp)
        DnsBehaviour.WRONG_ID -> sized(fromZone(query).also { it.header.id = it.header.id xor 1 }, query, tcp)
        DnsBehaviour.WRONG_QUESTION -> sized(fromZone(query).also(::changeQuestion), query, tcp)
        DnsBehaviour.FORMERR -> bare(query)
        DnsBehaviour.MIXED_CASE -> sized(fromZone(query), query, tcp).also(::changeCase)
        DnsBehaviour.POINTER_LOOP -> pointerLoop(query)
        DnsBehaviour.FORGED_FIRST -> sized(fromZone(query), query, tcp)
        DnsBehaviour.ONE_ALIAS -> sized(fromZone(query, mostAliases = 1), query, tcp)
        DnsBehaviour.TRUNCATED -> if (tcp) fromZone(query).toWire(Message.MAXLENGTH) else cut(query)
    }

    /** What is sent before the answer, and whether from elsewhere. */
    fun forgeries(query: Message, tcp: Boolean): List<Forgery> {
        if (behaviour != DnsBehaviour.FORGED_FIRST || tcp) return emptyList()
        return listOf(
            Forgery(forged(query).also { it.header.id = it.header.id xor 1 }.toWire(), elsewhere = false),
            Forgery(forged(query).also(::changeQuestion).toWire(), elsewhere = false),
            Forgery(forged(query).toWire(), elsewhere = true),
        )
    }

    private fun forged(query: Message): Message = reply(query, Rcode.NOERROR).also {
        it.addRecord(ARecord(query.question.name, DClass.IN, 1, InetAddress.getByAddress(FORGED)), Section.ANSWER)
    }

    /** Over UDP never more than the client takes: 512 bytes, or what its EDNS says (RFC 6891, section 6.2.3). */
    private fun sized(answer: Message, query: Message, tcp: Boolean): ByteArray = when {
        tcp -> answer.toWire(Message.MAXLENGTH)
        else -> answer.toWire(maxOf(PLAIN_SIZE, query.opt?.payloadSize ?: PLAIN_SIZE))
    }

    private fun fromZone(query: Message, mostAliases: Int = Int.MAX_VALUE): Message {
        val type = query.question.type
        val chain = mutableListOf<Record>()
        var name = query.question.name
        var found = owned(name, type)
        while (found.isEmpty()) {
            val alias = owned(name, Type.CNAME).firstOrNull() as CNAMERecord? ?: break
            if (alias in chain) break
            if (chain.size == mostAliases) return aliasesOnly(query, chain)
            chain += alias
            name = alias.target
            found = owned(name, type)
        }
        if (found.isEmpty()) return negative(query, if (exists(name)) Rcode.NOERROR else Rcode.NXDOMAIN, chain)
        val answer = reply(query, Rcode.NOERROR)
        val given = if (found.size > mostRecords) found.shuffled().take(mostRecords) else found
        (chain + given).forEach { answer.addRecord(it, Section.ANSWER) }
        if (additional) addressesOf(given).forEach { answer.addRecord(it, Section.ADDITIONAL) }
        return answer
    }

    private fun aliasesOnly(query: Message, chain: List<Record>): Message =
        reply(query, Rcode.NOERROR).also { answer -> chain.forEach { answer.addRecord(it, Section.ANSWER) } }

    private fun addressesOf(found: List<Record>): List<Record> = found.filterIsInstance<SRVRecord>().map { it.target }
        .distinct().flatMap { owned(it, Type.A) + owned(it, Type.AAAA) }

    private fun owned(name: Name, type: Int): List<Record> = zone.records.filter { it.name == name && it.type == type }

    /** A name with something below it exists, though it owns nothing (RFC 8020). */
    private fun exists(name: Name): Boolean = zone.records.any { it.name.subdomain(name) }

    private fun negative(query: Message, rcode: Int, chain: List<Record> = emptyList()): Message {
        val answer = reply(query, rcode)
        chain.forEach { answer.addRecord(it, Section.ANSWER) }
        val ttl = zone.negativeTtlSeconds
        val soa = SOARecord(Name.root, DClass.IN, ttl, Name.root, Name.root, 1, ttl, ttl, ttl, ttl)
        answer.addRecord(soa, Section.AUTHORITY)
        return answer
    }

    private fun reply(query: Message, rcode: Int): Message {
        val answer = bareReply(query, rcode)
        if (query.opt != null) answer.addRecord(OPTRecord(SERVER_SIZE, 0, 0), Section.ADDITIONAL)
        return answer
    }

    private fun bareReply(query: Message, rcode: Int): Message {
        val answer = Message(query.header.id)
        answer.header.setFlag(Flags.QR.toInt())
        answer.header.setFlag(Flags.AA.toInt())
        answer.header.setFlag(Flags.RA.toInt())
        if (query.header.getFlag(Flags.RD.toInt())) answer.header.setFlag(Flags.RD.toInt())
        answer.header.rcode = rcode
        answer.addRecord(query.question, Section.QUESTION)
        return answer
    }

    private fun bare(query: Message): ByteArray = bareReply(query, Rcode.FORMERR).toWire()

    private fun cut(query: Message): ByteArray =
        reply(query, Rcode.NOERROR).also { it.header.setFlag(Flags.TC.toInt()) }.toWire()

    private fun changeQuestion(answer: Message) {
        val asked = answer.question
        answer.removeAllRecords(Section.QUESTION)
        answer.addRecord(Record.newRecord(Name("elsewhere", Name.root), asked.type, asked.dClass), Section.QUESTION)
    }

    /** The id is right, so that a client must look further: all counts 65535, then a pointer to itself. */
    private fun garbage(query: Message): ByteArray {
        val id = query.header.id
        return ByteArray(GARBAGE_SIZE) { if (it < GARBAGE_HEADER) -1 else POINTER[it % 2] }
            .also { it[0] = (id shr Byte.SIZE_BITS).toByte() }
            .also { it[1] = id.toByte() }
    }

    /** The question begins behind the header; its first letter stands behind the length of the first label. */
    private fun changeCase(answer: ByteArray) {
        val letter = answer[Header.LENGTH + 1].toInt().toChar()
        val other = if (letter.isUpperCase()) letter.lowercaseChar() else letter.uppercaseChar()
        answer[Header.LENGTH + 1] = other.code.toByte()
    }

    private fun pointerLoop(query: Message): ByteArray {
        val answer = reply(query, Rcode.NOERROR)
        answer.removeAllRecords(Section.ADDITIONAL)
        val bytes = answer.toWire()
        bytes[ANSWERS] = 1
        val target = bytes.size or POINTER_MARK
        return bytes + byteArrayOf((target shr Byte.SIZE_BITS).toByte(), target.toByte()) + ByteArray(RECORD_SIZE)
    }

    private companion object {
        const val ANSWERS = 7
        const val POINTER_MARK = 0xC000
        const val RECORD_SIZE = 14
        val FORGED = byteArrayOf(10, 6, 6, 6)
        const val PLAIN_SIZE = 512
        const val SERVER_SIZE = 4_096
        const val MAX_DATAGRAM = 60_000
        const val GARBAGE_SIZE = 64
        const val GARBAGE_HEADER = 12
        val POINTER = byteArrayOf(0xC0.toByte(), GARBAGE_HEADER.toByte())
    }
}

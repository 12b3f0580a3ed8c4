package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsRecord
import dev.carom.pool.dns.DnsType
import org.xbill.DNS.AAAARecord
import org.xbill.DNS.ARecord
import org.xbill.DNS.CNAMERecord
import org.xbill.DNS.Flags
import org.xbill.DNS.Message
import org.xbill.DNS.Name
import org.xbill.DNS.Rcode
import org.xbill.DNS.Record
import org.xbill.DNS.SOARecord
import org.xbill.DNS.SRVRecord
import org.xbill.DNS.Section
import org.xbill.DNS.Type

/** Where a chain of aliases has arrived, and the smallest TTL on the way. */
internal class Alias(val name: Name, val ttlSeconds: Long)

/** An answer, or an alias the message leads to and says nothing more about. */
internal class Reading private constructor(private val known: DnsAnswer?, val alias: Alias?) {
    constructor(answer: DnsAnswer) : this(answer, null)
    constructor(alias: Alias) : this(null, alias)

    val answer: DnsAnswer get() = checkNotNull(known)
}

/** What [message] says about the name [from] stands for; [seen] are the names of the chain so far. */
internal fun read(message: Message, from: Alias, type: DnsType, seen: MutableSet<Name>): Reading {
    val answers = message.getSection(Section.ANSWER)
    val wanted = Type.value(type.name)
    var alias = from
    while (true) {
        val found = answers.filter { it.name == alias.name && it.type == wanted }
        if (found.isNotEmpty()) return Reading(records(found, alias, message))
        val next = answers.firstOrNull { it.name == alias.name && it is CNAMERecord } as CNAMERecord? ?: break
        if (!seen.add(
                next.target,
            )
        ) {
            return Reading(DnsAnswer.Failed("$type ${seen.first()}: aliases loop at ${next.target}"))
        }
        alias = Alias(next.target, minOf(alias.ttlSeconds, next.ttl))
    }
    val soa = message.getSection(Section.AUTHORITY).filterIsInstance<SOARecord>().firstOrNull()
    return when {
        message.rcode == Rcode.NXDOMAIN -> Reading(DnsAnswer.NoName(negativeTtl(soa)))
        soa != null -> Reading(DnsAnswer.NoData(negativeTtl(soa)))
        alias.name != from.name -> Reading(alias)
        isReferral(message) -> Reading(DnsAnswer.Failed("$type ${alias.name}: the server refers to others"))
        else -> Reading(DnsAnswer.NoData(0))
    }
}

/** RFC 2308, section 5: the lesser of the SOA's own TTL and its minimum. */
private fun negativeTtl(soa: SOARecord?): Long = soa?.let { minOf(it.ttl, it.minimum) } ?: 0

/** RFC 2308, section 2.2.1: name servers of somebody else, and no authority of its own. */
private fun isReferral(message: Message) = !message.header.getFlag(Flags.AA.toInt()) &&
    message.getSection(Section.AUTHORITY).any { it.type == Type.NS }

/** In a message of another kind than an answer, an update say, records may have no data. */
private fun records(found: List<Record>, alias: Alias, message: Message): DnsAnswer {
    val usable = found.mapNotNull { record(it, alias.ttlSeconds) }
    if (usable.isEmpty()) return DnsAnswer.Failed("${found.size} records of ${alias.name} have no data")
    return DnsAnswer.Records(
        usable,
        message.getSection(Section.ADDITIONAL).mapNotNull { record(it, Long.MAX_VALUE) },
    )
}

private fun record(record: Record, mostSeconds: Long): DnsRecord? {
    val name = text(record.name)
    val ttl = minOf(record.ttl, mostSeconds)
    return when (record) {
        is SRVRecord -> DnsRecord.Service(name, ttl, record.priority, record.weight, record.port, text(record.target))
        is ARecord -> DnsRecord.Address(name, ttl, DnsType.A, record.address.hostAddress)
        is AAAARecord -> DnsRecord.Address(name, ttl, DnsType.AAAA, record.address.hostAddress)
        else -> null
    }
}

/** Names are equal whatever their case (RFC 4343): without this, a server that varies it would change the set. */
private fun text(name: Name): String = name.toString(true).lowercase().takeIf { it != "." && it != "@" }.orEmpty()

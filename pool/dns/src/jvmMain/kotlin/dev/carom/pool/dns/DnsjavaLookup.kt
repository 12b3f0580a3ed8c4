package dev.carom.pool.dns

import dev.carom.pool.dns.internal.Alias
import dev.carom.pool.dns.internal.Servers
import dev.carom.pool.dns.internal.candidates
import dev.carom.pool.dns.internal.literal
import dev.carom.pool.dns.internal.read
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.xbill.DNS.Name
import org.xbill.DNS.TextParseException
import org.xbill.DNS.Type
import java.net.Inet6Address
import java.net.InetAddress

/**
 * Asks name servers, without blocking a thread and without a cache; dnsjava reads and writes the messages.
 *
 * Servers are tried one after another, the one that answered last first, so that a silent server costs its time limit
 * once and not at every question. Only NOERROR and NXDOMAIN are answers; anything else (REFUSED, SERVFAIL, bytes that
 * are no message) is that server's failure, and the next is asked. A packet with another id, to another question or
 * from another address is no answer at all: it is ignored (RFC 5452, section 9.1). Ids and ports are random. UDP with
 * EDNS0 and 1232 bytes (RFC 6891), TCP when truncated or larger (RFC 7766); an answer has at most 65535 bytes. A server
 * without EDNS is asked again without. CNAME chains are followed over up to 8 questions; a loop is a failure.
 *
 * An address literal is its own answer, and a name in [DnsConfig.hosts] has the addresses listed there and no others;
 * neither goes over the wire, and both hold until asked again after [DnsPolicy.maxInterval].
 *
 * A name that is not absolute goes through the search list. A *failure* of one of its candidates ends the search: to go
 * on could answer with somebody else's host.
 *
 * Threads: one daemon thread, `carom-dns`, reads the packets of all lookups in the process; it exists only while
 * questions are under way. Each question has sockets of its own; cancelling closes them at once.
 */
public class DnsjavaLookup
@JvmOverloads
constructor(
    private val config: DnsConfig,
    private val policy: DnsPolicy = DnsPolicy(),
) : DnsLookup {
    private val servers = Servers(config, policy)

    override suspend fun ask(question: DnsQuestion): DnsAnswer = known(question) ?: withContext(Dispatchers.Default) {
        var negative: DnsAnswer = DnsAnswer.NoName(0)
        for (candidate in candidates(question.name, config.search, config.ndots)) {
            val name = parse(candidate) ?: continue
            when (val answer = follow(name, question.type)) {
                is DnsAnswer.Records, is DnsAnswer.Failed, is DnsAnswer.NotImplemented -> return@withContext answer
                is DnsAnswer.NoData -> negative = answer
                is DnsAnswer.NoName -> if (negative is DnsAnswer.NoName) negative = answer
            }
        }
        negative
    }

    override fun toString(): String = "DnsjavaLookup($config)"

    /** What needs no server: literals, and what the hosts file says. SRV records are in neither. */
    private fun known(question: DnsQuestion): DnsAnswer? {
        if (question.type == DnsType.SRV) return null
        val name = question.name.removeSuffix(".").lowercase()
        val addresses = literal(name)?.let { listOf(it) } ?: config.hosts[name]?.mapNotNull(::literal) ?: return null
        val records = addresses.map { DnsRecord.Address(name, FOR_GOOD, typeOf(it), it.hostAddress) }
            .filter { it.type == question.type }
        return if (records.isEmpty()) DnsAnswer.NoData(FOR_GOOD) else DnsAnswer.Records(records)
    }

    private fun typeOf(address: InetAddress) = if (address is Inet6Address) DnsType.AAAA else DnsType.A

    /** A name with a label over 63 or over 255 bytes in all cannot exist (RFC 1035, section 2.3.4). */
    private fun parse(name: String): Name? = try {
        Name.fromString(name)
    } catch (_: TextParseException) {
        null
    }

    private suspend fun follow(first: Name, type: DnsType): DnsAnswer {
        var alias = Alias(first, Long.MAX_VALUE)
        val seen = mutableSetOf(first)
        repeat(MAX_QUESTIONS) {
            val asked = servers.ask(alias.name, Type.value(type.name))
            val message = asked.message ?: return asked.answer
            val found = read(message, alias, type, seen)
            alias = found.alias ?: return found.answer
        }
        return DnsAnswer.Failed(
            "$type $first: more than $MAX_QUESTIONS questions in a chain of aliases, now at ${alias.name}",
        )
    }

    private companion object {
        const val MAX_QUESTIONS = 8
        const val FOR_GOOD = Int.MAX_VALUE.toLong()
    }
}

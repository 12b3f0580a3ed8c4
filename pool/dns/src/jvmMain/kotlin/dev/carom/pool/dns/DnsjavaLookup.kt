package dev.carom.pool.dns

import dev.carom.pool.dns.internal.Alias
import dev.carom.pool.dns.internal.Servers
import dev.carom.pool.dns.internal.candidates
import dev.carom.pool.dns.internal.read
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.xbill.DNS.Name
import org.xbill.DNS.TextParseException
import org.xbill.DNS.Type

/**
 * Asks name servers with dnsjava, without blocking a thread and without a cache.
 *
 * Servers are tried one after another, the one that answered last first, so that a silent server costs
 * [DnsPolicy.serverTimeout] once and not at every question. Only NOERROR and NXDOMAIN are answers; anything else
 * (REFUSED, SERVFAIL, a wrong id or question, bytes that are no message) is that server's failure. UDP with EDNS0 and
 * 1232 bytes (RFC 6891), TCP when truncated (RFC 7766); an answer has at most 65535 bytes. A server without EDNS is
 * asked again without. CNAME chains are followed over up to 8 questions; a loop is a failure.
 *
 * A name that is not absolute goes through the search list. A *failure* of one of its candidates ends the search: to go
 * on could answer with somebody else's host.
 *
 * Threads: packets are read by dnsjava's one selector thread, a daemon that every user of dnsjava in the process shares
 * and that this class neither starts twice nor stops. Cancelling ends the wait at once; dnsjava closes the question's
 * UDP socket when its time limit ends, up to a second after [DnsPolicy.serverTimeout]. A TCP connection is kept by
 * dnsjava for the next question until the server closes it (RFC 7766, section 6.2.1).
 */
public class DnsjavaLookup
@JvmOverloads
constructor(
    private val config: DnsConfig,
    private val policy: DnsPolicy = DnsPolicy(),
) : DnsLookup {
    private val servers = Servers(config.servers, policy)

    override suspend fun ask(question: DnsQuestion): DnsAnswer = withContext(Dispatchers.Default) {
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
    }
}

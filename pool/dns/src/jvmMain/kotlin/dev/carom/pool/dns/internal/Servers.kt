package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsPolicy
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withTimeoutOrNull
import org.xbill.DNS.DClass
import org.xbill.DNS.Flags
import org.xbill.DNS.Message
import org.xbill.DNS.Name
import org.xbill.DNS.Rcode
import org.xbill.DNS.Record
import org.xbill.DNS.SimpleResolver
import org.xbill.DNS.Type
import java.net.InetSocketAddress
import kotlin.time.toJavaDuration

/** A message with an answer in it, or else why there is none. */
internal class Asked private constructor(val message: Message?, private val trouble: DnsAnswer?) {
    constructor(message: Message) : this(message, null)
    constructor(trouble: DnsAnswer) : this(null, trouble)

    val answer: DnsAnswer get() = checkNotNull(trouble)
}

/** Several name servers as one: the first that answers, beginning with the one that answered last. */
internal class Servers(private val addresses: List<InetSocketAddress>, private val policy: DnsPolicy) {
    private val executor = Dispatchers.Default.asExecutor()

    /** A guess shared by all questions; a race costs one time limit at most. */
    @Volatile
    private var preferred = 0

    suspend fun ask(name: Name, type: Int): Asked {
        val troubles = mutableListOf<String>()
        var notImplemented = 0
        repeat(policy.attempts) {
            val first = preferred
            for (offset in addresses.indices) {
                val index = (first + offset) % addresses.size
                val outcome = askOne(addresses[index], name, type)
                if (outcome.message != null) {
                    preferred = index
                    if (outcome.message.rcode != Rcode.NOTIMP) return Asked(outcome.message)
                    notImplemented++
                }
                troubles += "${addresses[index].address.hostAddress}:${addresses[index].port} ${outcome.trouble}"
            }
            if (notImplemented == addresses.size) return Asked(DnsAnswer.NotImplemented)
        }
        return Asked(DnsAnswer.Failed("${Type.string(type)} $name: ${troubles.joinToString("; ")}"))
    }

    private suspend fun askOne(server: InetSocketAddress, name: Name, type: Int): Outcome =
        withTimeoutOrNull(policy.serverTimeout) {
            val answer = send(server, name, type, edns = true)
            val message = answer.message
            // RFC 6891, section 7: a server that has never heard of EDNS says so in this way
            if (message?.rcode == Rcode.FORMERR && message.opt == null) {
                checked(send(server, name, type, edns = false))
            } else {
                checked(answer)
            }
        } ?: Outcome(null, "did not answer in ${policy.serverTimeout}")

    private suspend fun send(server: InetSocketAddress, name: Name, type: Int, edns: Boolean): Outcome {
        val resolver = SimpleResolver(server)
        resolver.timeout = policy.serverTimeout.toJavaDuration()
        if (edns) resolver.setEDNS(0, UDP_SIZE, 0, emptyList()) else resolver.setEDNS(-1, 0, 0, emptyList())
        return try {
            val query = Message.newQuery(Record.newRecord(name, type, DClass.IN))
            Outcome(resolver.sendAsync(query, executor).await(), "")
        } catch (e: CancellationException) {
            throw e
        } catch (e: Exception) {
            // whatever a parser makes of hostile bytes is that server's failure
            Outcome(null, "failed: ${e.message ?: e::class.simpleName}")
        }
    }

    private fun checked(outcome: Outcome): Outcome {
        val message = outcome.message ?: return outcome
        return when {
            !message.header.getFlag(Flags.QR.toInt()) -> Outcome(null, "sent a question back")
            message.rcode in ANSWERS -> Outcome(message, Rcode.string(message.rcode))
            else -> Outcome(null, "said ${Rcode.string(message.rcode)}")
        }
    }

    private class Outcome(val message: Message?, val trouble: String)

    private companion object {
        /** What passes without fragments (DNS flag day 2020). */
        const val UDP_SIZE = 1_232
        val ANSWERS = setOf(Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.NOTIMP)
    }
}

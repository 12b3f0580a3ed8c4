package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsConfig
import dev.carom.pool.dns.DnsPolicy
import kotlinx.coroutines.withTimeoutOrNull
import org.xbill.DNS.DClass
import org.xbill.DNS.Flags
import org.xbill.DNS.Message
import org.xbill.DNS.Name
import org.xbill.DNS.OPTRecord
import org.xbill.DNS.Rcode
import org.xbill.DNS.Record
import org.xbill.DNS.Section
import org.xbill.DNS.Type
import java.io.IOException
import java.net.InetSocketAddress
import java.security.SecureRandom
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

/** A message with an answer in it, or else why there is none. */
internal class Asked private constructor(val message: Message?, private val trouble: DnsAnswer?) {
    constructor(message: Message) : this(message, null)
    constructor(trouble: DnsAnswer) : this(null, trouble)

    val answer: DnsAnswer get() = checkNotNull(trouble)
}

/**
 * Several name servers as one: the first that answers, beginning with the one that answered last, or, if they rotate,
 * with the one after that which was first before.
 */
internal class Servers(private val config: DnsConfig, policy: DnsPolicy) {
    private val addresses = config.servers
    private val timeout = if (config.timeoutSeconds > 0) config.timeoutSeconds.seconds else policy.serverTimeout
    private val attempts = if (config.attempts > 0) config.attempts else policy.attempts

    /** The index of the server to ask first. A guess shared by all questions; a race costs one time limit at most. */
    private val preferred = AtomicInteger()

    suspend fun ask(name: Name, type: Int): Asked {
        val troubles = mutableListOf<String>()
        var notImplemented = 0
        repeat(attempts) {
            val first = first()
            for (offset in addresses.indices) {
                val index = (first + offset) % addresses.size
                val outcome = askOne(addresses[index], name, type)
                if (outcome.message != null) {
                    if (!config.rotate) preferred.set(index)
                    if (outcome.message.rcode != Rcode.NOTIMP) return Asked(outcome.message)
                    notImplemented++
                }
                troubles += "${addresses[index].address.hostAddress}:${addresses[index].port} ${outcome.trouble}"
            }
            if (notImplemented == addresses.size) return Asked(DnsAnswer.NotImplemented)
        }
        return Asked(DnsAnswer.Failed("${Type.string(type)} $name: ${troubles.joinToString("; ")}"))
    }

    private fun first(): Int =
        if (config.rotate) preferred.getAndUpdate { (it + 1) % addresses.size } else preferred.get()

    private suspend fun askOne(server: InetSocketAddress, name: Name, type: Int): Outcome =
        withTimeoutOrNull(timeout) {
            val answer = send(server, name, type, edns = true)
            val message = answer.message
            // RFC 6891, section 7: a server that has never heard of EDNS says so in one of these ways
            if (message != null && message.rcode in WITHOUT_EDNS && message.opt == null) {
                checked(send(server, name, type, edns = false))
            } else {
                checked(answer)
            }
        } ?: Outcome(null, "did not answer in $timeout")

    private suspend fun send(server: InetSocketAddress, name: Name, type: Int, edns: Boolean): Outcome {
        val query = Message.newQuery(Record.newRecord(name, type, DClass.IN))
        query.header.id = DICE.nextInt(IDS)
        if (edns) query.addRecord(OPTRecord(UDP_SIZE, 0, 0), Section.ADDITIONAL)
        val bytes = query.toWire()
        return try {
            // one byte more than may come: a packet that fills it was too large, and is asked for again like a cut one
            val packet = overUdp(server, bytes, UDP_SIZE + 1)
            val whole = packet.size <= UDP_SIZE && !isTruncated(packet)
            parsed(if (whole) packet else overTcp(server, bytes))
        } catch (e: IOException) {
            Outcome(null, "failed: ${e.message ?: e::class.simpleName}")
        }
    }

    /** Whatever the parser makes of hostile bytes is that server's failure. Nothing here suspends. */
    private fun parsed(bytes: ByteArray): Outcome = try {
        Outcome(Message(bytes), "")
    } catch (e: Exception) {
        Outcome(null, "failed: ${e.message ?: e::class.simpleName}")
    }

    private fun isTruncated(packet: ByteArray) = packet[FLAGS].toInt() and TRUNCATED != 0

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
        const val IDS = 65_536
        const val FLAGS = 2
        const val TRUNCATED = 2
        val ANSWERS = setOf(Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.NOTIMP)
        val WITHOUT_EDNS = setOf(Rcode.FORMERR, Rcode.NOTIMP)

        /** Ids that cannot be foretold (RFC 5452, section 9.2). */
        val DICE = SecureRandom()
    }
}

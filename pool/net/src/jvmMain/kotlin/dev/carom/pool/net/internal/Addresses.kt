package dev.carom.pool.net.internal

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.runInterruptible
import java.net.InetAddress

/** Turns a host into addresses without blocking the caller. */
internal class Addresses(
    private val lookup: (String) -> List<InetAddress> = { InetAddress.getAllByName(it).toList() },
) {
    // Without a parent on purpose: the system's resolver cannot be interrupted, so that a cancelled caller must be able
    // to leave a lookup behind. One that was left ends when the system gives up, and holds only a thread of this view.
    private val lookups = CoroutineScope(SupervisorJob() + Dispatchers.IO.limitedParallelism(MAX_LOOKUPS))

    /**
     * The addresses of [host] in the resolver's order. A literal is never looked up. Cancelling returns at once.
     *
     * @throws java.net.UnknownHostException if there is none.
     */
    suspend fun of(host: String): List<InetAddress> {
        literalOrNull(host)?.let { return listOf(it) }
        val answer = lookups.async { runInterruptible { lookup(host) } }
        try {
            return answer.await()
        } finally {
            answer.cancel()
        }
    }

    private companion object {
        const val MAX_LOOKUPS = 16
    }
}

/**
 * The address that [host] is, or null if it is a name. IPv4 in its four-part decimal form only (RFC 6943, section 3.1.1);
 * IPv6 as in RFC 4291, section 2.2, with an optional zone (`fe80::1%eth0`).
 *
 * @throws java.net.UnknownHostException if it has a colon, as no name has, and is no address.
 */
internal fun literalOrNull(host: String): InetAddress? = when {
    ':' in host -> {
        if (!V6.matches(host)) throw java.net.UnknownHostException("$host: not an IPv6 address")
        // Never asks a resolver: it starts with a digit or colon and has a colon, hence is read as a literal or refused.
        InetAddress.getByName(host)
    }

    V4.matches(host) -> InetAddress.getByAddress(host.split('.').map { it.toInt().toByte() }.toByteArray())

    else -> null
}

private val V6 = Regex("[0-9a-fA-F:][0-9a-fA-F:.]*(%[^%]+)?")
private const val OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
private val V4 = Regex("$OCTET\\.$OCTET\\.$OCTET\\.$OCTET")

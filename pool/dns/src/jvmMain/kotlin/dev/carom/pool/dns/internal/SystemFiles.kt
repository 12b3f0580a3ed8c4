package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsConfig
import org.xbill.DNS.Address
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.UnknownHostException

private const val PORT = 53

/** What resolv.conf(5) makes of [text]. */
internal fun resolvConfIn(text: String, hosts: Map<String, List<String>>): DnsConfig {
    val servers = mutableListOf<InetSocketAddress>()
    var search = emptyList<String>()
    val options = mutableMapOf<String, String>()
    for (words in lines(text, "#;")) {
        val values = words.drop(1)
        when (words.first()) {
            "nameserver" -> values.firstOrNull()?.let(::literal)?.let { servers += InetSocketAddress(it, PORT) }
            "search" -> search = values
            "domain" -> search = values.take(1)
            "options" -> values.associateTo(options) { it.substringBefore(':') to it.substringAfter(':', "") }
        }
    }
    fun number(option: String, bounds: IntRange) = options[option]?.toIntOrNull()?.coerceIn(bounds)
    return DnsConfig(
        servers.distinct().ifEmpty { listOf(InetSocketAddress(InetAddress.getByAddress(LOOPBACK), PORT)) },
        search,
        number("ndots", 0..DnsConfig.MAX_NDOTS) ?: 1,
        "rotate" in options,
        number("timeout", 1..DnsConfig.MAX_TIMEOUT) ?: 0,
        number("attempts", 1..DnsConfig.MAX_ATTEMPTS) ?: 0,
        hosts,
    )
}

/** What hosts(5) makes of [text]: address literals by name in lower case; a name on several lines has them all. */
internal fun hostsIn(text: String): Map<String, List<String>> {
    val found = mutableMapOf<String, MutableSet<String>>()
    for (words in lines(text, "#")) {
        val address = literal(words.first()) ?: continue
        words.drop(1).forEach { found.getOrPut(it.lowercase()) { mutableSetOf() } += address.hostAddress }
    }
    return found.mapValues { it.value.toList() }
}

/** The address that [text] is the literal of, with a scope if it has one; a name is never looked up. */
internal fun literal(text: String): InetAddress? {
    val family = if (':' in text) Address.IPv6 else Address.IPv4
    if (Address.toByteArray(text.substringBefore('%'), family) == null) return null
    return try {
        InetAddress.getByName(text)
    } catch (_: UnknownHostException) {
        // a scope this machine does not have
        null
    }
}

private fun lines(text: String, comments: String): Sequence<List<String>> =
    text.lineSequence().map { words(it, comments) }.filter { it.isNotEmpty() }

private fun words(line: String, comments: String): List<String> {
    val end = line.indexOfAny(comments.toCharArray()).let { if (it < 0) line.length else it }
    val words = ArrayList<String>(FEW)
    var from = 0
    while (from < end) {
        var to = from
        while (to < end && !line[to].isSpace()) to++
        if (to > from) words += line.substring(from, to)
        from = to + 1
    }
    return words
}

/** As in C, where these files come from. */
private fun Char.isSpace(): Boolean = this == ' ' || this in '\t'..'\r'

private const val FEW = 4
private val LOOPBACK = byteArrayOf(127, 0, 0, 1)

package dev.carom.pool.dns.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.pool.dns.DnsConfig

/**
 * A `resolv.conf` and, behind the first byte that is zero, a `hosts` file: never an exception, always a server. A line is
 * a word of one letter at least, and its comparison with each keyword is traced by the fuzzer, which allocates more than
 * the parser does.
 */
internal class ConfigTarget : FuzzTarget(fixed = 262_144, perByte = 4_096) {
    override fun prepare(): (ByteArray) -> Unit = { input ->
        val text = input.decodeToString()
        val config = DnsConfig.parse(text.substringBefore('\u0000'), text.substringAfter('\u0000', ""))
        check(config.servers.isNotEmpty() && config.hosts.values.none { it.isEmpty() }) { "$config" }
    }
}

package dev.carom.pool.dns.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.pool.dns.DnsConfig

/** A `resolv.conf` and, behind the first byte that is zero, a `hosts` file: never an exception, always a server. */
internal class ConfigTarget : FuzzTarget(fixed = 65_536, perByte = 1_024) {
    override fun prepare(): (ByteArray) -> Unit = { input ->
        val text = input.decodeToString()
        val config = DnsConfig.parse(text.substringBefore('\u0000'), text.substringAfter('\u0000', ""))
        check(config.servers.isNotEmpty() && config.hosts.values.none { it.isEmpty() }) { "$config" }
    }
}

package dev.carom.pool.dns.internal

import dev.carom.pool.Backend
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsPolicy
import dev.carom.pool.dns.DnsQuestion
import dev.carom.pool.dns.DnsRecord
import dev.carom.pool.dns.DnsType

/** What is looked for, and how records become backends. */
internal class DnsService(private val name: String, service: String?, private val defaultPort: Int) {
    /** The question for the SRV record, if there is a service to ask for. */
    val question: DnsQuestion? = service?.let { DnsQuestion("$it.$name", DnsType.SRV) }

    /** The name to ask for when there is no SRV record: as the user gave it, so that the search list applies. */
    val plainNames: List<String> = if (defaultPort == 0) emptyList() else listOf(name)

    /** The usable records, best first; none if the service is decidedly absent (RFC 2782: a target of "."). */
    fun targets(answer: DnsAnswer.Records, most: Int): List<DnsRecord.Service> =
        answer.records.filterIsInstance<DnsRecord.Service>()
            .filter { it.target.isNotEmpty() && it.port in PORTS && it.priority in UNSIGNED && it.weight in UNSIGNED }
            .sortedBy { it.priority }
            .take(most)

    fun backends(memory: Memory, policy: DnsPolicy): Set<Backend> {
        val known = question?.let { memory[it] }
        if (known == null) {
            return plainNames.flatMap { host -> addresses(memory, policy, host).map { plain(it) } }.toSet()
        }
        return targets(known, policy.maxTargets).flatMap { record ->
            addresses(memory, policy, absolute(record.target)).map {
                Backend(record.target, it, record.port, record.priority, record.weight)
            }
        }.toSet()
    }

    /** The questions one of whose answers would list [backend]. */
    fun questions(backend: Backend): List<DnsQuestion> {
        val type = if (':' in backend.host) DnsType.AAAA else DnsType.A
        return listOfNotNull(question, DnsQuestion(absolute(backend.name), type)) +
            plainNames.map { DnsQuestion(it, type) }
    }

    private fun plain(address: String) = name.removeSuffix(".").let { Backend(it, address, defaultPort) }

    private fun addresses(memory: Memory, policy: DnsPolicy, host: String): List<String> =
        policy.addresses.types.mapNotNull { memory[DnsQuestion(host, it)] }
            .flatMap { it.records }
            .filterIsInstance<DnsRecord.Address>()
            .map { it.address }
            .filter { it.isNotEmpty() }

    private companion object {
        val PORTS = 1..65_535
        val UNSIGNED = 0..65_535
    }
}

/** Targets are absolute, whatever the search list says. */
internal fun absolute(target: String): String = "$target."

package dev.carom.samples.messaging.demo

import dev.carom.pool.Resolver
import dev.carom.pool.dns.DnsAddresses
import dev.carom.pool.dns.DnsConfig
import dev.carom.pool.dns.DnsPolicy
import dev.carom.pool.dns.DnsResolver
import dev.carom.pool.dns.DnsjavaLookup
import dev.carom.pool.testkit.DnsTestServer
import dev.carom.pool.testkit.DnsZone
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The shop's DNS: a real server that lists who answers questions, and who answers surveys, for a second at a time. */
class ShopZone : AutoCloseable {
    private val server = DnsTestServer()
    private val policy = DnsPolicy(
        minInterval = 200.milliseconds,
        retryStart = 200.milliseconds,
        retryMax = 1.seconds,
        addresses = DnsAddresses.IPV4,
    )
    private val lookup = DnsjavaLookup(DnsConfig(listOf(server.address)), policy)

    /** Who answers questions, now and later. */
    val ask: Resolver = DnsResolver(lookup, NAME, ASK, policy = policy)

    /** Who answers surveys, now and later. */
    val survey: Resolver = DnsResolver(lookup, NAME, SURVEY, policy = policy)

    /** Where it is asked, as host and port. */
    val address: String get() = "127.0.0.1:${server.address.port}"

    /** Lists these backends, and no others, from now on. */
    fun list(backends: Collection<ShopBackend>) {
        server.zone = backends.fold(DnsZone().ttl(1).negativeTtl(1)) { zone, backend ->
            zone.instance("$ASK.$NAME", "${backend.name}-ask.$NAME", "127.0.0.1", backend.askPort)
                .instance("$SURVEY.$NAME", "${backend.name}-survey.$NAME", "127.0.0.1", backend.surveyPort)
        }
    }

    override fun close() = server.close()

    companion object {
        const val NAME = "shop.test"
        const val ASK = "_ask._tcp"
        const val SURVEY = "_survey._tcp"
    }
}

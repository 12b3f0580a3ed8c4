package dev.carom.pool.dns

import dev.carom.pool.Backend
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import dev.carom.pool.openPool
import dev.carom.pool.testkit.DnsBehaviour
import dev.carom.pool.testkit.DnsTestServer
import dev.carom.pool.testkit.DnsZone
import dev.carom.pool.testkit.FakeBackends
import dev.carom.pool.testkit.LeakCheckListener
import dev.carom.pool.testkit.openVirtualPool
import dev.carom.pool.testkit.pass
import dev.carom.pool.testkit.passUntil
import dev.carom.pool.use
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.isActive
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.security.Security
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class DnsPoolTest :
    FunSpec({
        extension(LeakCheckListener())

        test("a pool whose DNS tells a random 8 of 50 comes to know all 50, and retires nobody in an hour") {
            // An hour of virtual time: in real time a minute and more, where nothing is compiled yet or much else runs.
            runTest(timeout = 9.minutes) {
                val dice = Random(3)
                val all = (1..50).map { "10.0.0.$it" }
                val dead = mutableSetOf<String>()
                val network = FakeBackends()
                val health = PoolHealth()
                val lookup = DnsLookup { question ->
                    val some = (all - dead).shuffled(dice).take(8)
                    DnsAnswer.Records(some.map { DnsRecord.Address(question.name, 5, DnsType.A, it) })
                }
                val policy = DnsPolicy(addresses = DnsAddresses.IPV4, removal = RemovalPolicy.HealthGated)
                val resolver = DnsResolver(
                    lookup, "shop.test", null, 80, policy, DnsListener.NONE, health, testTimeSource, Random(1),
                )
                val slots = PoolPolicy(spares = 8, maxSlots = 60, maxLifetime = Duration.INFINITE)
                val pool = openVirtualPool("shop", resolver, network, slots)
                health.follow { pool.snapshot.value }
                val removed = mutableListOf<Backend>()
                val noting = launch {
                    pool.notices.collect { if (it is PoolNotice.BackendRemoved) removed += it.backend }
                }
                pass(3_600_000)
                pool.snapshot.value.backends.count { it.online } shouldBe 50
                removed.shouldBeEmpty()

                dead += all.take(5)
                dead.forEach { network.on(it, 80).dies() }
                passUntil(pool.snapshot, 120_000) { now -> now.backends.none { it.backend.host in dead } }
                removed.map { it.host }.toSet() shouldBe dead
                pool.close(0)
                noting.join()
                network.assertAllClosed()
            }
        }

        test("a pool follows its zone under traffic, and the JVM's own DNS cache, kept for ever, makes no difference") {
            val before = Security.getProperty("networkaddress.cache.ttl")
            Security.setProperty("networkaddress.cache.ttl", "-1")
            try {
                withContext(Dispatchers.Default) { DnsTestServer().use { dns -> follow(dns) } }
            } finally {
                Security.setProperty("networkaddress.cache.ttl", before ?: "30")
            }
        }
    }) {
    private companion object {
        val OLD = (1..3).map { "10.0.0.$it" }
        val NEW = (1..3).map { "10.0.1.$it" }

        fun zone(hosts: List<String>) = hosts.fold(DnsZone().ttl(1)) { zone, host -> zone.address("shop.test", host) }

        suspend fun follow(dns: DnsTestServer) {
            val network = FakeBackends()
            val scope = CoroutineScope(Dispatchers.Default + Job())
            val lookup = DnsjavaLookup(DnsConfig(listOf(dns.address)))
            val changes = AtomicInteger()
            val listener = DnsListener { if (it is DnsNotice.Changed) changes.incrementAndGet() }
            val resolver = DnsResolver(lookup, "shop.test.", null, 80, DnsPolicy(), listener)
            dns.zone = zone(OLD)
            val pool = scope.openPool("shop", resolver, network, PoolPolicy(spares = 6, maxSlots = 6))
            try {
                withTimeout(30.seconds) { pool.awaitReady(3) }
                val served = AtomicInteger()
                val traffic = scope.launch {
                    while (isActive) {
                        pool.use { served.incrementAndGet() }
                        delay(5.milliseconds)
                    }
                }
                dns.zone = zone(NEW)
                withTimeout(30.seconds) {
                    pool.snapshot.first { now -> now.backends.map { it.backend.host }.toSet() == NEW.toSet() }
                }
                OLD.sumOf { network.on(it, 80).live.size } shouldBe 0
                // all at once: one emission, not one for each address
                changes.get() shouldBe 2
                // a failing server moves nobody
                dns.behaviour = DnsBehaviour.SERVFAIL
                val count = dns.questions.size
                withTimeout(30.seconds) { while (dns.questions.size < count + 2) pool.use { delay(5.milliseconds) } }
                pool.snapshot.value.backends.size shouldBe 3
                served.get() shouldBeGreaterThan 0
                traffic.isActive shouldBe true
                traffic.cancelAndJoin()
            } finally {
                pool.close(0)
                scope.coroutineContext.job.cancelAndJoin()
            }
            network.assertAllClosed()
        }
    }
}

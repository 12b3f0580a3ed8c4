package dev.carom.pool.dns

import dev.carom.pool.Backend
import dev.carom.pool.testkit.DnsBehaviour
import dev.carom.pool.testkit.DnsTestServer
import dev.carom.pool.testkit.DnsZone
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class DnsjavaLookupTest :
    FunSpec({
        test("SRV with its addresses along needs one question") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().instance(SERVICE, "a.shop.test", "10.0.0.1", 5432, 1, 2)
                    .address("a.shop.test", "fd00::1")
                dns.resolver().backends().first() shouldBe setOf(
                    Backend("a.shop.test", "10.0.0.1", 5432, 1, 2),
                    Backend("a.shop.test", "fd00:0:0:0:0:0:0:1", 5432, 1, 2),
                )
                dns.questions.map { it.toString() } shouldContainExactly listOf("SRV $SERVICE.")
            }
        }

        test("without additional records each target is asked for both kinds of address") {
            DnsTestServer().use { dns ->
                dns.additional = false
                dns.zone = DnsZone().instance(SERVICE, "a.shop.test", "10.0.0.1", 5432)
                dns.resolver().backends().first().map { it.host } shouldBe listOf("10.0.0.1")
                dns.questions.map { it.toString() }.sorted() shouldContainExactly
                    listOf("A a.shop.test.", "AAAA a.shop.test.", "SRV $SERVICE.")
            }
        }

        test("two hundred targets come over TCP") {
            DnsTestServer().use { dns ->
                dns.zone = (1..200).fold(DnsZone()) { zone, n ->
                    zone.instance(SERVICE, "h$n.test", "10.0.1.$n", 5432)
                }
                dns.resolver().backends().first().size shouldBe 200
                dns.questions.take(2).map { it.tcp } shouldContainExactly listOf(false, true)
            }
        }

        test("a truncated answer is asked again over TCP") {
            DnsTestServer().use { dns ->
                dns.behaviour = DnsBehaviour.TRUNCATED
                dns.zone = DnsZone().address("shop.test", "10.0.0.1")
                dns.lookup().ask(A).shouldBeInstanceOf<DnsAnswer.Records>()
                (dns.udpCount to dns.tcpCount) shouldBe (1 to 1)
            }
        }

        for ((behaviour, reason) in mapOf(
            DnsBehaviour.SERVFAIL to "SERVFAIL",
            DnsBehaviour.REFUSED to "REFUSED",
            DnsBehaviour.GARBAGE to "did not answer",
            DnsBehaviour.WRONG_ID to "did not answer",
            DnsBehaviour.WRONG_QUESTION to "did not answer",
            DnsBehaviour.HANG to "did not answer",
        )) {
            test("a server that does $behaviour has failed, and the next one answers") {
                DnsTestServer().use { bad ->
                    DnsTestServer().use { good ->
                        val zone = (1..100).fold(DnsZone()) { zone, n -> zone.address("shop.test", "10.0.0.$n") }
                        bad.zone = zone
                        good.zone = zone
                        bad.behaviour = behaviour
                        val silent = reason == "did not answer"
                        val answer = bad.lookup(if (silent) HASTY else PATIENT).ask(A)
                        answer.shouldBeInstanceOf<DnsAnswer.Failed>().reason shouldContain reason
                        DnsjavaLookup(
                            DnsConfig(listOf(bad.address, good.address)),
                            if (silent) MODERATE else PATIENT,
                        ).ask(A)
                            .shouldBeInstanceOf<DnsAnswer.Records>()
                    }
                }
            }
        }

        test("a silent server is tried first only once") {
            DnsTestServer().use { silent ->
                DnsTestServer().use { good ->
                    silent.behaviour = DnsBehaviour.HANG
                    good.zone = DnsZone().address("shop.test", "10.0.0.1")
                    val lookup = DnsjavaLookup(DnsConfig(listOf(silent.address, good.address)), MODERATE)
                    repeat(5) { lookup.ask(A).shouldBeInstanceOf<DnsAnswer.Records>() }
                    silent.questions.size shouldBe 1
                }
            }
        }

        test("nobody listening is a failure") {
            val gone = DnsTestServer().use { it.address }
            DnsjavaLookup(DnsConfig(listOf(gone)), HASTY).ask(A).shouldBeInstanceOf<DnsAnswer.Failed>()
        }

        test("a server without EDNS is asked without it") {
            DnsTestServer().use { dns ->
                dns.behaviour = DnsBehaviour.NO_EDNS
                dns.zone = DnsZone().address("shop.test", "10.0.0.1")
                dns.lookup().ask(A).shouldBeInstanceOf<DnsAnswer.Records>()
                dns.udpCount shouldBe 2
            }
        }

        test("aliases are followed, and the smallest TTL on the way counts") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().ttl(7).cname("shop.test", "b.test")
                    .ttl(99).cname("b.test", "c.test").address("c.test", "10.0.0.1")
                dns.lookup().ask(A) shouldBe
                    DnsAnswer.Records(listOf(DnsRecord.Address("c.test", 7, DnsType.A, "10.0.0.1")))
            }
        }

        test("aliases that lead back are a failure") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().cname("shop.test", "b.test").cname("b.test", "shop.test")
                val answer = dns.lookup().ask(A)
                answer.shouldBeInstanceOf<DnsAnswer.Failed>().reason shouldContain "loop"
                dns.udpCount shouldBeLessThanOrEqual 2
            }
        }

        test("negative answers tell how long they may be believed") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().negativeTtl(17).cname("shop.test", "b.test")
                dns.lookup().ask(A) shouldBe DnsAnswer.NoName(17)
                dns.behaviour = DnsBehaviour.EMPTY
                dns.lookup().ask(A) shouldBe DnsAnswer.NoData(17)
            }
        }

        test("an answer in another case is the same answer") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().instance("_DB._tcp.Shop.Test", "A.Shop.TEST", "10.0.0.1", 5432)
                dns.resolver().backends().first().map { it.name } shouldBe listOf("a.shop.test")
            }
        }

        test("a zone that grows, moves, fails, answers empty and shrinks is followed, and kept while it fails") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().ttl(0).instance(SERVICE, "a.shop.test", "10.0.0.1", 5432)
                val steps = listOf<() -> Unit>(
                    { dns.zone = dns.zone.instance(SERVICE, "b.shop.test", "10.0.0.2", 5432) },
                    {
                        dns.behaviour = DnsBehaviour.SERVFAIL
                        dns.zone = dns.zone.without("a.shop.test").address("a.shop.test", "10.0.0.3")
                    },
                ).iterator()
                val listener = DnsListener {
                    when {
                        it is DnsNotice.Changed && steps.hasNext() -> steps.next()()
                        it is DnsNotice.Stale && it.rounds == 2 -> dns.behaviour = DnsBehaviour.EMPTY
                        it is DnsNotice.Stale && it.rounds == 4 -> dns.behaviour = DnsBehaviour.ANSWER
                    }
                }
                val seen = withTimeoutOrNull(60.seconds) { dns.resolver(listener).backends().take(3).toList() }
                seen?.map { set -> set.map { it.host }.toSet() } shouldBe
                    listOf(setOf("10.0.0.1"), setOf("10.0.0.1", "10.0.0.2"), setOf("10.0.0.2", "10.0.0.3"))
            }
        }

        test("cancelling while every server is silent ends at once, with nothing emitted") {
            DnsTestServer().use { dns ->
                dns.behaviour = DnsBehaviour.HANG
                val notices = CopyOnWriteArrayList<DnsNotice>()
                coroutineScope {
                    lateinit var collecting: Job
                    collecting = launch {
                        val listener = DnsListener {
                            notices += it
                            if (it is DnsNotice.Answered) collecting.cancel()
                        }
                        dns.resolver(listener, HASTY).backends().collect {
                            error("nobody answered, yet $it was emitted")
                        }
                    }
                }
                notices.last() shouldBe DnsNotice.Ended
            }
        }

        test("the system's settings can be read") {
            DnsConfig.system().servers.isNotEmpty() shouldBe true
        }
    }) {
    private companion object {
        const val SERVICE = "_db._tcp.shop.test"
        val A = DnsQuestion("shop.test.", DnsType.A)

        /** For those who answer, however busy the machine is. */
        val PATIENT = waiting(10.seconds)

        /** For those who do not, before one who does. */
        val MODERATE = waiting(5.seconds)

        /** Where no answer can come. */
        val HASTY = waiting(300.milliseconds)

        fun waiting(limit: Duration) = DnsPolicy(
            minInterval = 20.milliseconds,
            retryStart = 20.milliseconds,
            roundTimeout = 30.seconds,
            serverTimeout = limit,
            attempts = 1,
            negativesToBelieve = 10,
        )

        fun DnsTestServer.lookup(policy: DnsPolicy = PATIENT) = DnsjavaLookup(DnsConfig(listOf(address)), policy)

        fun DnsTestServer.resolver(listener: DnsListener = DnsListener.NONE, policy: DnsPolicy = PATIENT) =
            DnsResolver(lookup(policy), "shop.test.", "_db._tcp", 0, policy, listener)
    }
}

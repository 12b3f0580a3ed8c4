package dev.carom.pool.dns

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlin.random.Random
import kotlin.time.Duration.Companion.minutes

class DnsQuestionCountTest :
    FunSpec({
        for (service in TTLS) {
            for (address in TTLS) {
                test("in ten minutes no name is asked more often than its TTL says: SRV $service s, A $address s") {
                    runTest {
                        val asked = mutableMapOf<DnsQuestion, Long>()
                        val ttl = mutableMapOf<DnsQuestion, Long>()
                        val lookup = DnsLookup { question ->
                            asked[question] = (asked[question] ?: 0) + 1
                            answer(question, service, address).also { ttl[question] = seconds(it) }
                        }
                        val policy = DnsPolicy()
                        val resolver = DnsResolver(
                            lookup, "shop.test", "_db._tcp", 0, policy, DnsListener.NONE, null, testTimeSource,
                            Random(
                                1,
                            ),
                        )
                        val collecting = launch { resolver.backends().collect {} }
                        testScheduler.advanceTimeBy(10.minutes)
                        collecting.cancel()
                        for ((question, count) in asked) {
                            withClue({ "$question, TTL ${ttl[question]}" }) {
                                count shouldBeLessThanOrEqual 600 / ttl.getValue(question) + 2
                                // and not much less often: what it says is followed
                                if (question.type != DnsType.AAAA) {
                                    count shouldBeGreaterThanOrEqual 600 / (ttl.getValue(question) + 2) - 1
                                }
                            }
                        }
                    }
                }
            }
        }
    }) {
    private companion object {
        val TTLS = listOf(1L, 2L, 5L, 7L, 30L, 60L, 300L)

        fun answer(question: DnsQuestion, service: Long, address: Long): DnsAnswer = when (question.type) {
            DnsType.SRV -> DnsAnswer.Records(
                listOf("a.test", "b.test").map { DnsRecord.Service(question.name, service, 0, 1, 5432, it) },
            )

            DnsType.A -> DnsAnswer.Records(
                listOf(DnsRecord.Address(question.name, address, DnsType.A, "10.0.0.${question.name.first().code}")),
            )

            DnsType.AAAA -> DnsAnswer.NoData(30)
        }

        fun seconds(answer: DnsAnswer): Long = when (answer) {
            is DnsAnswer.Records -> answer.records.minOf { it.ttlSeconds }
            is DnsAnswer.NoData -> answer.ttlSeconds
            else -> error("not of this test: $answer")
        }
    }
}

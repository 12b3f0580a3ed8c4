package dev.carom.pool.dns

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

@OptIn(ExperimentalCoroutinesApi::class)
class DnsResolverTest :
    FunSpec({
        test("a changed answer is followed when its TTL has ended, and only differences are emitted") {
            runTest {
                var address = "10.0.0.1"
                resolver({ found(it, address) }).backends().test {
                    awaitItem().map { it.host } shouldBe listOf("10.0.0.1")
                    testScheduler.advanceTimeBy(60.seconds)
                    expectNoEvents()
                    address = "10.0.0.2"
                    val changedAt = currentTime
                    awaitItem().map { it.host } shouldBe listOf("10.0.0.2")
                    (currentTime - changedAt <= 5_500) shouldBe true
                    cancel()
                }
            }
        }

        test("ten minutes of failures remove nothing") {
            runTest {
                var failing = false
                val notices = mutableListOf<DnsNotice>()
                val lookup = DnsLookup { if (failing) error("no route") else found(it, "10.0.0.1") }
                resolver(lookup, listener = { notices += it }).backends().test {
                    awaitItem()
                    failing = true
                    testScheduler.advanceTimeBy(600.seconds)
                    expectNoEvents()
                    cancel()
                }
                notices.filterIsInstance<DnsNotice.Stale>().last().reason shouldContain "no route"
                notices.last() shouldBe DnsNotice.Ended
            }
        }

        test("cancelling the collection cancels the question under way") {
            runTest {
                val ended = mutableListOf<DnsQuestion>()
                val lookup = DnsLookup {
                    try {
                        awaitCancellation()
                    } finally {
                        ended += it
                    }
                }
                resolver(lookup).backends().test {
                    testScheduler.advanceTimeBy(1.seconds)
                    expectNoEvents()
                    cancel()
                }
                ended shouldContain DnsQuestion("shop.test", DnsType.A)
            }
        }

        test("a name with neither a service nor a port is refused") {
            shouldThrow<IllegalArgumentException> { DnsResolver({ DnsAnswer.NotImplemented }, "shop.test", null) }
                .message shouldBe "\"shop.test\" needs a service, a default port above 0, or both"
        }

        test("a policy names the number that is out of bounds, and the bound") {
            shouldThrow<IllegalArgumentException> { DnsPolicy(maxInterval = 0.seconds) }
                .message shouldBe "maxInterval must be in 1s..3650d, was 0s"
        }
    }) {
    private companion object {
        fun TestScope.resolver(lookup: DnsLookup, listener: DnsListener = DnsListener.NONE) =
            DnsResolver(lookup, "shop.test", null, 80, DnsPolicy(), listener, null, testTimeSource, Random(1))

        fun found(question: DnsQuestion, address: String): DnsAnswer = if (question.type == DnsType.A) {
            DnsAnswer.Records(listOf(DnsRecord.Address(question.name, 5, DnsType.A, address)))
        } else {
            DnsAnswer.NoData(5)
        }
    }
}

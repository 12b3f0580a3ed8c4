package dev.carom.storage.split

import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.failureOf
import dev.carom.storage.txn
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class SplitTest :
    FunSpec({
        test("AT-27 eventual reads are served by replicas alone") {
            splitTest {
                a.lag = 5.seconds
                val servers = (1..1_000).groupBy { split.read(Consistency.EVENTUAL) { it.server() } }
                servers.keys shouldBe setOf("a", "b")
                split.stats().primaryReads shouldBe 0
                split.stats().replicaReads shouldBe 1_000
            }
        }

        test(
            "AT-27 a lag of at most 2 s is never served by a replica that is at 3 s, whatever was known of it before",
        ) {
            val dice = Random(272)
            splitTest(roundTrip = { dice.nextInt(5).milliseconds }) {
                var served = 0
                repeat(10_000) {
                    for (server in listOf(a, b)) server.lag = dice.nextInt(5_000).milliseconds
                    split.read(Consistency.maxLag(2_000)) { txn ->
                        val server = cluster.servers.first { it.name == txn.server() }
                        if (server.isPrimary) {
                            minOf(a.lag, b.lag) shouldBeGreaterThan 1_990.milliseconds
                        } else {
                            server.lag shouldBeLessThanOrEqualTo 2.seconds
                            served++
                        }
                    }
                    // Lags grow no faster than time, and they may fall at once: what is known must not outlive a change.
                    delay(101.milliseconds + dice.nextInt(20).milliseconds)
                }
                served shouldBeGreaterThan 5_000
            }
        }

        test("what a replica said about its lag holds for a while, its age added: it is not asked each time") {
            splitTest(SplitPolicy(lagMemory = 100.milliseconds)) {
                b.up = false
                a.lag = 1_950.milliseconds
                repeat(10) { split.read(Consistency.maxLag(2_000)) { it.server() } shouldBe "a" }
                a.asked shouldBe 1
                delay(51.milliseconds)
                // 1950 ms, 51 ms ago: that could be more than 2 s by now, so it is asked.
                split.read(Consistency.maxLag(2_000)) { it.server() } shouldBe "a"
                a.asked shouldBe 2
            }
        }

        test("AT-27 ten thousand writes with lags of 0 to 5 s: a read with the token sees its row, each time") {
            val dice = Random(27)
            splitTest(roundTrip = { dice.nextInt(3).milliseconds }) {
                repeat(10_000) { n ->
                    for (server in listOf(a, b)) server.lag = dice.nextInt(5_000).milliseconds
                    val written = split.write { it.add("row $n") }
                    delay(dice.nextInt(4_000).milliseconds)
                    val before = split.stats().primaryReads
                    val reached = listOf(a, b).any { it.visible() >= written.token.text.toInt() }
                    split.read(Consistency.readYourWrites(written.token)) { it.sees(n) } shouldBe true
                    // The primary served it only where no replica had caught up.
                    if (reached) split.stats().primaryReads shouldBe before
                }
                split.stats().replicaReads shouldBeGreaterThan 3_000
                split.stats().primaryReads shouldBeGreaterThan 500
            }
        }

        test("what a replica has reached it has: it is not asked again about that or what was before") {
            splitTest {
                b.up = false
                val first = split.write { it.add("1") }.token
                val second = split.write { it.add("2") }.token
                split.read(Consistency.readYourWrites(second)) { it.server() } shouldBe "a"
                split.read(Consistency.readYourWrites(first)) { it.server() } shouldBe "a"
                split.read(Consistency.readYourWrites(second)) { it.server() } shouldBe "a"
                a.asked shouldBe 1
            }
        }

        test("AT-27 all replicas down: the primary reads if that is allowed, else a read waits for a replica") {
            splitTest {
                a.up = false
                b.up = false
                split.read(Consistency.EVENTUAL) { it.server() } shouldBe "p"
                split.stats().primaryReads shouldBe 1
            }
            splitTest(SplitPolicy(allowPrimaryReads = false), StoragePolicy(acquireTimeout = 1.seconds)) {
                a.up = false
                b.up = false
                shouldThrow<StorageException.AcquireTimeout> { split.read(Consistency.EVENTUAL) { it.server() } }
                var served: String? = null
                val read = test.launch { served = split.read(Consistency.EVENTUAL) { it.server() } }
                test.advanceTimeBy(500.milliseconds)
                b.up = true
                read.join()
                served shouldBe "b"
            }
        }

        test("a token nobody knows is served by the primary, the latest too") {
            splitTest {
                split.read(Consistency.readYourWrites(WriteToken.UNKNOWN)) { it.server() } shouldBe "p"
                split.read(Consistency.LATEST) { it.server() } shouldBe "p"
            }
        }

        test("a replica that does not answer is passed over, and its session destroyed") {
            splitTest(SplitPolicy(checkTimeout = 100.milliseconds)) {
                replication.hangs = CompletableDeferred()
                split.read(Consistency.maxLag(1_000)) { it.server() } shouldBe "p"
            }
        }

        test("a read inside a write is part of it; a write inside a read is refused; a joined write has no token yet") {
            splitTest {
                split.write { outer ->
                    outer.add("1")
                    split.read(Consistency.EVENTUAL) { it.values() } shouldBe listOf("1")
                    split.write { it.add("2") }.token shouldBe WriteToken.UNKNOWN
                }.token shouldBe WriteToken("2")
                failureOf { split.read(Consistency.EVENTUAL) { split.write { it.add("3") } } }
                    .shouldBeInstanceOf<StorageException.TxnPolicyConflict>()
                cluster.log.size shouldBe 2
            }
        }

        test("AT-03 a primary that was demoted: each transaction in hand fails once, no other is sent there") {
            splitTest {
                val gate = CompletableDeferred<Unit>()
                val failures = mutableListOf<Throwable>()
                val before = (1..8).map { n ->
                    test.launch {
                        failureOf {
                            pool.txn { txn ->
                                gate.await()
                                txn.add("$n")
                            }
                        }?.let { failures += it }
                    }
                }
                test.runCurrent()
                pool.stats().leased shouldBe 8
                primary.demoted = true
                gate.complete(Unit)
                before.forEach { it.join() }
                failures.size shouldBe 8
                val after = (1..20).map { n -> test.launch { split.write { it.add("late $n") } } }
                test.runCurrent()
                cluster.log.size shouldBe 0
                cluster.reports.toSet() shouldBe setOf("p")
                // The other server reports that it is the primary now.
                cluster.primary = a
                roles.probe()
                after.forEach { it.join() }
                cluster.log.size shouldBe 20
                cluster.reports.size shouldBe 8
            }
        }

        test("a write that is refused in a read-only transaction says nothing about the server") {
            splitTest {
                failureOf { split.read(Consistency.LATEST) { txn -> txn.use { throw Demoted() } } }
                    .shouldBeInstanceOf<StorageException.Platform>()
                cluster.reports.size shouldBe 0
            }
        }
    })

package dev.carom.pool

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.single
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PoolLeaseTest :
    FunSpec({
        val a = backend("a")

        fun leased(lease: LeasePolicy, max: Int = 3, timeout: Int = 200) =
            PoolPolicy(spares = max, maxSlots = max, claimTimeout = timeout.milliseconds, lease = lease)

        test("the refusal names three holders, their ages, tags and where they claimed (AT-06)") {
            poolTest(setOf(a), leased(LeasePolicy(sites = 1))) {
                after(1.seconds)
                repeat(3) { i ->
                    test.launch(CoroutineName("holder $i")) {
                        val options = ClaimOptions(tags = mapOf("request" to "$i"), allowNested = true)
                        pool.claim(options).use { delay(10.seconds) }
                    }
                }
                after(2.seconds)
                val refusal = shouldThrow<PoolException.AllClaimed> { pool.claim() }
                for ((i, holder) in refusal.holders.sortedBy { it.name }.withIndex()) {
                    holder.name shouldBe "holder $i"
                    holder.ageMillis shouldBeInRange 2_150L..2_250L
                    holder.tags shouldBe mapOf("request" to "$i")
                    checkNotNull(holder.site) shouldContain "PoolLeaseTest"
                    checkNotNull(refusal.message) shouldContain "$holder"
                }
                refusal.waiting shouldBe 1
                after(10.seconds)
            }
        }

        test("a claim held too long is told once, by name, and ended under its holder at the limit (AT-04)") {
            val lease = LeasePolicy(warnAfter = 5.seconds, abortAfter = 8.seconds)
            poolTest(setOf(a), leased(lease)) {
                after(1.seconds)
                pool.notices.filter { it is PoolNotice.ClaimStalled || it is PoolNotice.ClaimAborted }.test {
                    val claimed = test.currentTime
                    val claim = pool.claim("report")
                    delay(4_899)
                    expectNoEvents()
                    val stalled = awaitItem().shouldBeInstanceOf<PoolNotice.ClaimStalled>()
                    stalled.holder.name shouldBe "report"
                    test.currentTime - claimed shouldBeInRange 4_900L..5_100L
                    val aborted = awaitItem().shouldBeInstanceOf<PoolNotice.ClaimAborted>()
                    test.currentTime - claimed shouldBeInRange 7_900L..8_100L
                    aborted.holder.backend shouldBe a
                    test.runCurrent()
                    shouldThrow<IllegalStateException> { claim.connection }
                    claim.close()
                    network.closed shouldBe 1
                    after(1.seconds)
                    now.connected shouldBe 3
                    expectNoEvents()
                    cancel()
                }
            }
        }

        test("who renews is left alone") {
            poolTest(setOf(a), leased(LeasePolicy(warnAfter = 1.seconds, abortAfter = 2.seconds))) {
                after(1.seconds)
                pool.notices.filter { it is PoolNotice.ClaimStalled }.test {
                    pool.claim().use { claim ->
                        repeat(10) {
                            after(900.milliseconds)
                            claim.renew()
                        }
                        expectNoEvents()
                        claim.connection.isClosed shouldBe false
                    }
                    cancel()
                }
            }
        }

        test("nested claims deadlock; with Error both inner claims fail at once and name both places (AT-24)") {
            poolTest(setOf(a), leased(LeasePolicy(nested = NestedClaims.Error), max = 2, timeout = 30_000)) {
                after(1.seconds)
                val started = test.currentTime
                val failures = List(2) { i ->
                    test.async(CoroutineName("outer $i")) {
                        pool.use { shouldThrow<PoolException.NestedClaim> { pool.claim() } }
                    }
                }.map { it.await() }
                test.currentTime shouldBe started
                for ((i, failure) in failures.withIndex()) {
                    failure.outer.name shouldBe "outer $i"
                    checkNotNull(failure.outer.site) shouldContain "PoolLeaseTest"
                    checkNotNull(failure.site) shouldContain "PoolLeaseTest"
                }
            }
        }

        test("the claim in hand is seen through withContext, async, coroutineScope and flows (AT-24)") {
            poolTest(setOf(a), leased(LeasePolicy(nested = NestedClaims.Error))) {
                after(1.seconds)
                suspend fun inner() = shouldThrow<PoolException.NestedClaim> { pool.claim() }
                pool.use {
                    withContext(CoroutineName("other") + StandardTestDispatcher(test.testScheduler)) { inner() }
                    coroutineScope { async { inner() }.await() }
                    flow { emit(inner()) }.single()
                }
                pool.claim().close()
            }
        }

        test("a claim in a scope that holds none, and one after another, are not nested (AT-24)") {
            poolTest(setOf(a), leased(LeasePolicy(nested = NestedClaims.Error))) {
                after(1.seconds)
                val other = CoroutineScope(test.coroutineContext + Job())
                coroutineScope {
                    launch { pool.use { delay(1.seconds) } }
                    launch { pool.use { other.async { pool.claim().close() }.await() } }
                    launch {
                        repeat(3) { pool.claim().close() }
                        withContext(CoroutineName("x")) { pool.claim().close() }
                        flow { emit(pool.claim()) }.single().close()
                    }
                }
                pool.use { pool.claim(ClaimOptions(allowNested = true)).close() }
                now.refused shouldBe 0
            }
        }

        test("with Warn a nested claim is told when it has to wait, and only then") {
            poolTest(setOf(a), leased(LeasePolicy(), max = 2)) {
                after(1.seconds)
                pool.notices.filter { it is PoolNotice.ClaimNested }.test {
                    test.launch(CoroutineName("outer")) {
                        pool.use {
                            pool.use { shouldThrow<PoolException.AllClaimed> { pool.claim() } }
                        }
                    }
                    val told = awaitItem().shouldBeInstanceOf<PoolNotice.ClaimNested>()
                    told.outer.name shouldBe "outer"
                    checkNotNull(told.site) shouldContain "PoolLeaseTest"
                    after(1.seconds)
                    expectNoEvents()
                    cancel()
                }
            }
        }

        test("an ended claim can be neither reported on nor renewed") {
            poolTest(setOf(a)) {
                after(1.seconds)
                val claim = pool.claim()
                claim.report(ClaimOutcome.Success, 5)
                shouldThrow<IllegalArgumentException> { claim.report(ClaimOutcome.Success, -1) }
                claim.close()
                shouldThrow<IllegalStateException> { claim.report(ClaimOutcome.Success) }
                shouldThrow<IllegalStateException> { claim.report(Refused("late")) }
                shouldThrow<IllegalStateException> { claim.renew() }
            }
        }

        test("sites are recorded for one claim in so many") {
            poolTest(setOf(a), leased(LeasePolicy(sites = 3), max = 9)) {
                after(1.seconds)
                val claims = List(9) { pool.claim() }
                pool.explain().holders.filter { it.site != null } shouldHaveSize 3
                claims.forEach { it.close() }
                pool.explain().holders.shouldBeEmpty()
            }
        }
    })

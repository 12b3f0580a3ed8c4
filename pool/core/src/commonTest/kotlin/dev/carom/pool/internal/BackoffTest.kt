package dev.carom.pool.internal

import dev.carom.pool.BackoffPolicy
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class BackoffTest :
    FunSpec({
        test("waits double up to the cap and lie between half of the nominal one and all of it, at the cap too") {
            val waits = List(200) { seed ->
                val backoff = Backoff(BackoffPolicy(), Random(seed))
                var now = Duration.ZERO
                List(14) {
                    backoff.failed(now)
                    (backoff.notBefore - now).also { now = backoff.notBefore }
                }
            }
            for (step in 0 until 14) {
                val nominal = minOf(20.milliseconds * (1 shl step), 30.seconds)
                waits.forEach { check(it[step] in nominal / 2..nominal) { "step $step: ${it[step]} of $nominal" } }
            }
            waits.map { it[13] }.toSet().size shouldBeGreaterThan 150
        }

        test("a success does not wipe the memory; a quiet minute does") {
            val backoff = Backoff(BackoffPolicy(jitter = 0.1), Random(1))
            var now = Duration.ZERO
            repeat(6) {
                backoff.failed(now)
                backoff.succeeded()
                now = backoff.notBefore + 1.seconds
            }
            backoff.failed(now)
            check(backoff.notBefore - now > 1.seconds)
            backoff.succeeded()
            now += 2.minutes
            backoff.failed(now)
            check(backoff.notBefore - now <= 20.milliseconds)
        }

        test("many connections broken at one moment are one failure") {
            val backoff = Backoff(BackoffPolicy(), Random(1))
            repeat(8) { backoff.failed(1.seconds) }
            check(backoff.notBefore <= 1.seconds + 20.milliseconds)
        }

        test("demand rises at once, sinks by a tenth of the excess per interval, and reaches exactly what is wanted") {
            val demand = Demand(5.seconds)
            demand.update(16, Duration.ZERO) shouldBe 16
            demand.update(8, 1.seconds) shouldBe 16
            val levels = (1..9).map { demand.update(8, 1.seconds + 5.seconds * it) }
            levels shouldContainExactly listOf(15, 14, 13, 12, 11, 10, 9, 8, 8)
            demand.nextStep shouldBe null
        }

        test("a peak between two steps holds the level") {
            val demand = Demand(5.seconds)
            demand.update(16, Duration.ZERO)
            demand.update(4, 1.seconds)
            demand.observe(16)
            demand.update(4, 6.seconds) shouldBe 16
            demand.update(4, 11.seconds) shouldBe 14
        }
    })

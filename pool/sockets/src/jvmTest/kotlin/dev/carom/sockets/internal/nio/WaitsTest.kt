package dev.carom.sockets.internal.nio

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe

private const val MICRO = 1_000L
private const val NEVER = Long.MAX_VALUE

class WaitsTest :
    FunSpec({
        fun Waits.slept(micros: Long) = ended(micros * MICRO, inVain = false)

        fun busy() = Waits(100 * MICRO).apply { repeat(50) { slept(60) } }

        test("a new loop sleeps at once, one that hears something soon again and again stays awake") {
            val waits = Waits(100 * MICRO)
            waits.patience(NEVER) shouldBe 0
            var until = 0
            while (waits.patience(NEVER) == 0L) waits.slept(60).also { until++ }
            until shouldBeInRange 4..12
            waits.patience(NEVER) shouldBe 100 * MICRO
        }

        test("it does not stay awake beyond the next timer") {
            busy().run {
                patience(7 * MICRO) shouldBe 7 * MICRO
                patience(500 * MICRO) shouldBe 100 * MICRO
            }
        }

        test("a pause now and then does not put it to sleep, silence does") {
            busy().run {
                slept(30_000_000)
                patience(NEVER) shouldBe 100 * MICRO
                repeat(20) { slept(30_000_000) }
                patience(NEVER) shouldBe 0
            }
        }

        test("where being awake is always in vain it is tried less than once in ten times") {
            busy().run {
                var tried = 0
                repeat(1_000) {
                    val awake = patience(NEVER) > 0
                    if (awake) tried++
                    ended(150 * MICRO, inVain = awake)
                }
                tried shouldBeInRange 1..100
            }
        }

        test("0 is never") {
            Waits(0).run {
                repeat(50) { slept(1) }
                patience(NEVER) shouldBe 0
            }
        }
    })

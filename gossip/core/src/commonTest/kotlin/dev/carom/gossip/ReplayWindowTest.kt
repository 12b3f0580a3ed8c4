package dev.carom.gossip

import dev.carom.gossip.internal.ReplayWindow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class ReplayWindowTest :
    FunSpec({
        test("each number once, in any order within the window") {
            val window = ReplayWindow()
            listOf(5L, 3, 4, 1_000, 0, 5, 3).map { window.accept(1, it) } shouldBe
                listOf(true, true, true, true, true, false, false)
        }

        test("what lies a window behind counts as seen") {
            val window = ReplayWindow()
            window.accept(1, 5_000) shouldBe true
            window.accept(1, 5_000 - ReplayWindow.WIDTH + 1L) shouldBe true
            window.accept(1, 5_000 - ReplayWindow.WIDTH.toLong()) shouldBe false
            window.accept(1, 0xffff_ffffL) shouldBe true
            window.accept(1, 5_001) shouldBe false
        }

        test("it agrees with a set, for a long time, with jumps") {
            val random = Random(4)
            val window = ReplayWindow()
            val seen = HashSet<Long>()
            var newest = -1L
            repeat(200_000) {
                val jump = if (random.nextInt(500) == 0) random.nextLong(3_000) else random.nextLong(4)
                val number = if (random.nextBoolean()) newest + jump else maxOf(0, newest - random.nextLong(1_500))
                val expected = number >= 0 && newest - number < ReplayWindow.WIDTH && number !in seen
                if (number < 0) return@repeat
                window.accept(9, number) shouldBe expected
                seen += number
                newest = maxOf(newest, number)
            }
        }

        test("epochs do not mix, and the one silent for longest is forgotten") {
            val window = ReplayWindow()
            for (epoch in 0L..ReplayWindow.MOST) {
                window.accept(epoch, 7) shouldBe true
                window.accept(1, if (epoch == 1L) 7 else epoch + 100) shouldBe (epoch != 1L)
            }
            window.accept(1, 7) shouldBe false
            window.accept(0, 7) shouldBe true
        }
    })

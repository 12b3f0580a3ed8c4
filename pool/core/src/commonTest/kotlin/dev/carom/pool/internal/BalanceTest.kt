package dev.carom.pool.internal

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class BalanceTest :
    FunSpec({
        fun up(held: Int = 0, weight: Int = 1) = Claimant(Share.Serving, held, weight.toDouble())
        fun down() = Claimant(Share.Probe, 0, down = true)

        fun allot(all: List<Claimant>, target: Int, perBackend: Int = 16, every: Boolean = true): List<Int> =
            balance(all, target, room = 16, perBackend, every).toList()

        test("the vectors that qorb gets wrong stay within the limit and starve nobody") {
            // (online, offline, claimed, spares, max), pool.md section 10.
            allot(listOf(up()), 8) shouldBe listOf(8)
            allot(List(2) { up() }, 8) shouldBe listOf(4, 4)
            allot(List(3) { up() }, 8) shouldBe listOf(3, 3, 2)
            allot(List(3) { up() }, 16) shouldBe listOf(6, 5, 5)
            allot(List(5) { up() }, 8) shouldBe listOf(2, 2, 2, 1, 1)
            allot(listOf(up()) + List(5) { down() }, 8) shouldBe listOf(8, 1, 1, 1, 1, 1)
            allot(listOf(up()) + List(8) { down() }, 8) shouldBe listOf(8) + List(8) { 1 }
            allot(listOf(up()) + List(8) { down() }, 16) shouldBe listOf(15, 1) + List(7) { 0 }
            allot(List(40) { up() }, 8).sum() shouldBe 16
        }

        test("weights share in proportion") {
            allot(listOf(up(weight = 3), up(weight = 1)), 8) shouldBe listOf(6, 2)
        }

        test("what is on loan is never given up, and the rest is made even") {
            allot(listOf(up(held = 10), up(), up()), 16) shouldBe listOf(10, 3, 3)
        }

        test("a backend's own ceiling is kept, and the remainder goes to the others") {
            allot(listOf(up(), up(weight = 5)), 10, perBackend = 6) shouldBe listOf(4, 6)
        }

        test("with connections on demand only, nothing is opened without demand") {
            allot(List(3) { up() }, 0, every = false) shouldBe listOf(0, 0, 0)
        }

        test("whatever the numbers, the sum stays within the room and equals differ by at most one") {
            repeat(20_000) { seed ->
                val random = Random(seed)
                val room = random.nextInt(1, 40)
                var left = room
                val claimants = List(random.nextInt(1, 12)) {
                    val held = random.nextInt(0, 3).coerceAtMost(left)
                    left -= held
                    Claimant(Share.entries.random(random), held, down = random.nextBoolean())
                }
                val target = random.nextInt(0, room + 1)
                val slots = balance(claimants, target, room, perBackend = 1 + random.nextInt(room), everyBackend = true)
                check(slots.sum() <= room) { "seed $seed: ${slots.toList()} is more than $room" }
                check(claimants.indices.all { slots[it] >= claimants[it].held }) { "seed $seed: a loan was given up" }
                val serving = claimants.indices.filter { claimants[it].share == Share.Serving }
                val most = serving.filter { slots[it] > claimants[it].held }.maxOfOrNull { slots[it] } ?: 0
                val least = serving.minOfOrNull { slots[it] } ?: 0
                check(most - least <= 1) { "seed $seed: ${slots.toList()} is uneven" }
                val needed = claimants.sumOf { it.held } + serving.count { claimants[it].held == 0 }
                if (needed <= room) {
                    check(serving.all { slots[it] > 0 }) { "seed $seed: starved: ${slots.toList()}" }
                }
            }
        }
    })

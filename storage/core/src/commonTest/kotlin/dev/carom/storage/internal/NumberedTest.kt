package dev.carom.storage.internal

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class NumberedTest :
    FunSpec({
        test("a random life of a numbered set is that of a map, and the older ones never change") {
            repeat(200) { seed ->
                withClue("seed $seed") {
                    val random = Random(seed)
                    val span = listOf(4, 40, 4_000, Int.MAX_VALUE).random(random)
                    val map = mutableMapOf<Long, String>()
                    var numbered = Numbered.none<String>()
                    repeat(300) {
                        val number = if (map.isNotEmpty() && random.nextBoolean()) {
                            map.keys.random(random)
                        } else {
                            random.nextLong(-span.toLong(), span.toLong()) * random.nextInt(1, 4)
                        }
                        val before = numbered
                        val had = before.values
                        if (random.nextInt(5) < 2) {
                            numbered = numbered.minus(number)
                            map.remove(number)
                        } else {
                            numbered = numbered.plus(number, "$number")
                            map[number] = "$number"
                        }
                        before.values shouldBe had
                        (number in numbered) shouldBe (number in map)
                        numbered[number] shouldBe map[number]
                        numbered.size shouldBe map.size
                    }
                    numbered.numbers shouldBe map.keys.sorted()
                    numbered.values shouldBe map.toList().sortedBy { it.first }.map { it.second }
                    map.keys.forEach { numbered = numbered.minus(it) }
                    numbered.isEmpty() shouldBe true
                    numbered shouldBe Numbered.none<String>()
                }
            }
        }
    })

package dev.carom.pool.internal.set

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlin.random.Random

class OutboxTest :
    FunSpec({
        fun entry(name: String) = Entry(name, name.length.toLong(), null)

        test("in random worlds it behaves like a plain list, and its sums are right") {
            for (seed in 1..1_000) {
                val random = Random(seed)
                var outbox = Outbox<String>()
                val model = ArrayList<Entry<String>>()
                var atWriter: Entry<String>? = null
                var writing = false
                repeat(60) { step ->
                    when (random.nextInt(7)) {
                        0, 1, 2 -> entry("m".repeat(step % 5)).let {
                            outbox = outbox.add(it)
                            model += it
                        }

                        3 -> outbox.removeOldest()?.let { (rest, oldest) ->
                            outbox = rest
                            oldest shouldBeSameInstanceAs model.removeFirst()
                        }

                        4 -> outbox.begin()?.let {
                            outbox = it
                            if (atWriter == null) atWriter = model.removeFirst()
                            writing = true
                        }

                        5 -> if (writing) {
                            val done = random.nextBoolean()
                            outbox = if (done) outbox.finish() else outbox.retry()
                            if (done) atWriter = null
                            writing = false
                        }

                        else -> (model + listOfNotNull(atWriter)).randomOrNull(random)?.let {
                            outbox = outbox.remove(it)
                            model.remove(it)
                            if (it === atWriter && !writing) atWriter = null
                        }
                    }
                    outbox.entries shouldContainExactly listOfNotNull(atWriter) + model
                    outbox.count shouldBe model.size
                    outbox.bytes shouldBe model.sumOf { it.bytes }
                    outbox.isEmpty shouldBe (model.isEmpty() && atWriter == null)
                }
            }
        }

        test("what is being written cannot be taken out; what waits to be written again can") {
            val first = entry("first")
            val writing = Outbox<String>().add(first).begin()!!
            writing.remove(first) shouldBeSameInstanceAs writing
            writing.retry().remove(first).isEmpty shouldBe true
        }
    })

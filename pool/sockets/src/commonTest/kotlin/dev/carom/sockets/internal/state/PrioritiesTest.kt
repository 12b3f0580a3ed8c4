package dev.carom.sockets.internal.state

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe

class PrioritiesTest :
    FunSpec({
        fun of(
            vararg priorities: Int,
        ) = Priorities().apply { priorities.forEachIndexed { pipe, it -> insert(pipe, it) } }

        fun Priorities.activate(vararg pipes: Int) = pipes.forEach { activate(it) }

        test("a pipe that was only inserted is not chosen; an active one is, once") {
            val list = of(8)
            list.take() shouldBe null
            list.activate(0)
            list.take() shouldBe 0
            list.take() shouldBe null
        }

        test("equal and lower priorities wait, a higher one does not") {
            val list = of(8, 8, 9, 1)
            list.activate(0, 1, 2)
            list.activate(3)
            List(5) { list.take() } shouldBe listOf(3, 0, 1, 2, null)
        }

        test("who is always active gets its turn in the round") {
            val list = of(8, 8, 8)
            list.activate(0, 1, 2)
            List(7) { list.take()?.also { pipe -> list.activate(pipe) } } shouldBe listOf(0, 1, 2, 0, 1, 2, 0)
        }

        test("a lower class is not touched while a higher one is active") {
            val list = of(1, 2)
            list.activate(0, 1)
            List(3) { list.take()?.also { pipe -> list.activate(pipe) } } shouldBe listOf(0, 0, 0)
        }

        test("deactivating or removing the first moves on; nothing left is nothing to take") {
            val list = of(8, 8, 9)
            list.activate(0, 1, 2)
            list.deactivate(0)
            list.remove(1)
            list.activate(1)
            List(2) { list.take() } shouldBe listOf(2, null)
            (1 in list) shouldBe false
            list.isEmpty shouldBe true
        }

        test("priorities out of bounds count as the nearest") {
            val list = of(-5, 1, 99, 16)
            list.activate(2, 3, 1, 0)
            List(4) { list.take() } shouldBe listOf(1, 0, 2, 3)
        }
    })

package dev.carom.pool.internal

import org.jetbrains.kotlinx.lincheck.annotations.Operation
import org.jetbrains.kotlinx.lincheck.annotations.Validate
import org.jetbrains.kotlinx.lincheck.check
import org.jetbrains.kotlinx.lincheck.strategy.managed.modelchecking.ModelCheckingOptions
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Test
import java.util.concurrent.atomic.AtomicIntegerArray

/**
 * The word of free bits alone, under every schedule of two short threads that the model checker can tell apart in the
 * number of its invocations. Small on purpose: a defect needs two switches at two places, and the whole desk has so many
 * places that the checker would try one pair in a hundred.
 */
class FreeSlotsLincheckTest {
    private val slots = FreeSlots(SLOTS).apply { repeat(SLOTS) { give(it) } }
    private val users = AtomicIntegerArray(SLOTS)

    @Operation
    fun takeAndGive() {
        val index = slots.take()
        if (index >= 0) use(index)
    }

    @Operation
    fun seizeAndGive() {
        if (slots.seize(0)) use(0)
    }

    /** Whoever waits, as the desk does: one thread at a time. */
    @Operation(nonParallelGroup = "desk")
    fun await() {
        val index = slots.raise()
        slots.lower()
        if (index >= 0) use(index)
    }

    @Validate
    fun allAreFree() = kotlin.check(slots.count() == SLOTS) { "${slots.count()} of $SLOTS free" }

    private fun use(index: Int) {
        kotlin.check(users.incrementAndGet(index) == 1) { "$index is lent twice" }
        users.decrementAndGet(index)
        if (!slots.give(index)) slots.stash(index)
    }

    @Test
    @DisplayName("two threads, model checked")
    fun modelChecked() = ModelCheckingOptions()
        .iterations(scenarios(8, soaking = 20))
        .invocationsPerIteration(2_000)
        .threads(2)
        .actorsPerThread(2)
        .actorsBefore(0)
        .actorsAfter(0)
        .check(this::class)

    private companion object {
        const val SLOTS = 2
    }
}

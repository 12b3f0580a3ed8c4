package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Fault
import org.jetbrains.kotlinx.lincheck.annotations.Operation
import org.jetbrains.kotlinx.lincheck.annotations.Validate
import org.jetbrains.kotlinx.lincheck.check
import org.jetbrains.kotlinx.lincheck.strategy.managed.modelchecking.ModelCheckingOptions
import org.jetbrains.kotlinx.lincheck.strategy.stress.StressOptions
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Test
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicIntegerArray
import kotlin.time.Duration
import kotlin.time.TimeMark

/**
 * The structure of the hot path under many real schedules (stress), and under those that Lincheck's model checker tries:
 * whatever callers and the pool do at once, no connection is lent to two, checked while it is lent, or lost.
 *
 * Two threads of two calls, and many schedules of each: with three of three, a lost update planted in `FreeSlots.take`
 * was not found in the time a test has. As it is, both runs find it, and the model checker also finds what happens when
 * `putBack` does not look at `recalled` again.
 */
class ClaimDeskLincheckTest {
    private val back = ConcurrentLinkedQueue<Long>()
    private val desk = ClaimDesk<Int>(DeskRules(SLOTS), CoarseClock(NoTime) {}, Returns(back))
    private val users = AtomicIntegerArray(SLOTS)
    private val lines = List(SLOTS) { index -> Line(index.toLong(), index, BACKEND, Meter(), index, desk) }

    /** Whether the pool waits for connection 0. Touched by its thread alone. */
    private var expected = false

    init {
        for (line in lines) {
            desk.admit(line)
            desk.offer(line)
        }
        desk.assign(listOf(lines.map { it.index }), null)
    }

    /** What any caller does. */
    @Operation
    fun use() {
        val lease = desk.take("caller") ?: return
        val connection = lease.connection
        kotlin.check(users.incrementAndGet(connection) == 1) { "connection $connection is lent twice" }
        users.decrementAndGet(connection)
        lease.close()
    }

    /** What the pool does, on one thread: takes a connection out of circulation, works on it, and puts it back. */
    @Operation(nonParallelGroup = "pool")
    fun checkHealth() {
        readmit()
        if (expected) return
        if (desk.recall(0)) {
            kotlin.check(users.incrementAndGet(0) == 1) { "connection 0 is checked while it is lent" }
            users.decrementAndGet(0)
            desk.offer(lines[0])
        } else {
            desk.keep(0)
        }
    }

    /** What the pool does to a connection that must end: takes it, or has it brought back by whoever has it. */
    @Operation(nonParallelGroup = "pool")
    fun withdraw() {
        readmit()
        if (expected) return
        if (desk.recall(0)) desk.offer(lines[0]) else expected = true
    }

    /** Nothing is lost: at the end every connection is free. */
    @Validate
    fun allAreFree() {
        readmit()
        kotlin.check(!expected) { "connection 0 was recalled, and never brought back" }
        kotlin.check(desk.free == SLOTS) { "${desk.free} of $SLOTS connections free" }
    }

    private fun readmit() {
        while (true) {
            val slot = back.poll() ?: return
            expected = false
            desk.offer(lines[slot.toInt()])
        }
    }

    @Test
    @DisplayName("two threads, model checked")
    fun modelChecked() = ModelCheckingOptions()
        .iterations(scenarios(4, soaking = 10))
        .invocationsPerIteration(1_500)
        .threads(2)
        .actorsPerThread(2)
        .actorsBefore(0)
        .actorsAfter(0)
        .check(this::class)

    @Test
    @DisplayName("three threads, stressed")
    fun stressed() = StressOptions()
        .iterations(scenarios(4, soaking = 10))
        .invocationsPerIteration(500)
        .threads(3)
        .actorsPerThread(4)
        .check(this::class)

    private companion object {
        const val SLOTS = 2
        val BACKEND = Backend("db", "10.0.0.1", 1)
    }
}

private object NoTime : TimeMark {
    override fun elapsedNow(): Duration = Duration.ZERO
}

/** Keeps what the pool gets back. */
private class Returns(private val back: ConcurrentLinkedQueue<Long>) : DeskEvents {
    override fun returned(slot: Long, outcome: Outcome) {
        back += slot
    }

    override fun ranLow() = Unit

    override fun deadlineMoved() = Unit

    override fun closed(refused: Int) = Unit

    override fun reported(slot: Long, fault: Fault, cause: Throwable?) = Unit

    override fun classify(cause: Throwable): Fault = Fault.Broken

    override fun shed(waiter: Waiter<*>, waiting: Int, waited: Duration): Throwable = IllegalStateException()
}

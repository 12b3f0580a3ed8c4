package dev.carom.pool.internal

import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/** Something for [Serial] to do. Each instance is offered once. */
internal abstract class Order {
    internal var next: Order? = null
}

/**
 * Runs orders one at a time, first come first served, on whichever thread offers while nobody runs any; other threads
 * leave theirs and go on. Never blocks.
 *
 * What may call back (resuming a coroutine that is not dispatched runs its code here and now) must not happen in [run]:
 * it goes into the list, and [after] sees to it when no orders are left and another thread may run the next.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class Serial<W : Any>(private val run: (Order, MutableList<W>) -> Unit, private val after: (W) -> Unit) {
    /** [Idle]: nobody runs. Null: somebody runs, nothing is left for it. Else a chain, the newest first. */
    private val offered = AtomicReference<Order?>(Idle)

    fun offer(order: Order) {
        while (true) {
            val top = offered.load()
            order.next = if (top === Idle) null else top
            if (offered.compareAndSet(top, order)) {
                if (top === Idle) drain()
                return
            }
        }
    }

    private fun drain() {
        val done = ArrayList<W>(FEW)
        do {
            var order = reversed(offered.exchange(null))
            while (order != null) {
                val following = order.next
                run(order, done)
                order = following
            }
        } while (!offered.compareAndSet(null, Idle))
        for (work in done) after(work)
    }

    private fun reversed(newest: Order?): Order? {
        var from = newest
        var to: Order? = null
        while (from != null) {
            val next = from.next
            from.next = to
            to = from
            from = next
        }
        return to
    }

    private object Idle : Order()

    private companion object {
        const val FEW = 4
    }
}

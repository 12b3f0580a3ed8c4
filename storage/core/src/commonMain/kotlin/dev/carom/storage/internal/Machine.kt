package dev.carom.storage.internal

import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/** A state after an event, and what must be done. */
internal class Step<out S, out F>(val state: S, val effects: List<F>) {
    constructor(state: S, vararg effects: F) : this(state, effects.asList())
}

/**
 * Holds an immutable state that many threads send events to. An event is applied to one state only, and whoever sent it
 * does what it ordered: each order is meant for one ticket, so two threads that carry out theirs cannot get in each
 * other's way.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class Machine<S : Any, E, F>(initial: S, private val step: (S, E) -> Step<S, F>) {
    private val ref = AtomicReference(initial)

    val state: S get() = ref.load()

    fun send(event: E): List<F> {
        while (true) {
            val before = ref.load()
            val after = step(before, event)
            if (ref.compareAndSet(before, after.state)) return after.effects
        }
    }
}

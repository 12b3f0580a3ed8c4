package dev.carom.storage.internal

import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/** Things by number, for any thread. */
@OptIn(ExperimentalAtomicApi::class)
internal class Registry<V : Any> {
    private val all = AtomicReference(Numbered.none<V>())

    val values: Collection<V> get() = all.load().values

    operator fun get(id: Long): V? = all.load()[id]

    fun add(id: Long, value: V) = change { it.plus(id, value) }

    fun remove(id: Long) = change { it.minus(id) }

    private inline fun change(next: (Numbered<V>) -> Numbered<V>) {
        while (true) {
            val now = all.load()
            if (all.compareAndSet(now, next(now))) return
        }
    }
}

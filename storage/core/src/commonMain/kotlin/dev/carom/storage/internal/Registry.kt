package dev.carom.storage.internal

import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/** A few things by number, for any thread. */
@OptIn(ExperimentalAtomicApi::class)
internal class Registry<V : Any> {
    private val all = AtomicReference<Map<Long, V>>(emptyMap())

    val values: Collection<V> get() = all.load().values

    operator fun get(id: Long): V? = all.load()[id]

    fun add(id: Long, value: V) = change { it + (id to value) }

    fun remove(id: Long) = change { it - id }

    private inline fun change(next: (Map<Long, V>) -> Map<Long, V>) {
        while (true) {
            val now = all.load()
            if (all.compareAndSet(now, next(now))) return
        }
    }
}

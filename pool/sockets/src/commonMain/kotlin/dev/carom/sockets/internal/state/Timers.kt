package dev.carom.sockets.internal.state

import kotlin.time.Duration

/** Timers that all run for [interval]: the one armed first is due first, so the next is known without a search. */
internal class Timers<K : Any>(private val interval: Duration) {
    private val due = LinkedHashMap<K, Duration>()

    val next: Duration? get() = due.values.firstOrNull()

    fun arm(key: K, now: Duration) {
        due.remove(key)
        if (interval.isFinite()) due[key] = now + interval
    }

    fun disarm(key: K) {
        due.remove(key)
    }

    /** One that is due, and is not armed any more. */
    fun take(now: Duration): K? {
        val (key, at) = due.entries.firstOrNull() ?: return null
        if (at > now) return null
        due.remove(key)
        return key
    }
}

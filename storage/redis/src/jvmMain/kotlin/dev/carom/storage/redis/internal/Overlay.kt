package dev.carom.storage.redis.internal

/** How long a value is kept that a transaction writes. */
internal sealed interface Expiry {
    /** As long as the value that was there. */
    data object Keep : Expiry

    data object Never : Expiry

    /** From the commit on. */
    class After(val millis: Long) : Expiry
}

/** What a transaction makes of one key. */
internal sealed interface Pending {
    class Put(val value: String, val expiry: Expiry) : Pending

    data object Gone : Pending
}

/**
 * What a transaction has done so far: nothing of it is on the server before the commit. Immutable, so that a savepoint is
 * the overlay of that moment.
 *
 * @property changes in the order in which keys were changed first.
 */
internal class Overlay(val changes: Map<String, Pending> = emptyMap()) {
    operator fun get(key: String): Pending? = changes[key]

    fun put(key: String, value: String, expiry: Expiry): Overlay {
        val before = changes[key]
        val kept = when {
            expiry !is Expiry.Keep -> expiry
            before is Pending.Put -> before.expiry
            before is Pending.Gone -> Expiry.Never
            else -> expiry
        }
        return Overlay(changes + (key to Pending.Put(value, kept)))
    }

    fun remove(key: String): Overlay = Overlay(changes + (key to Pending.Gone))
}

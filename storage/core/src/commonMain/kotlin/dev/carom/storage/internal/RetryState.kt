package dev.carom.storage.internal

import dev.carom.storage.RetryPolicy
import dev.carom.storage.StorageException
import kotlin.random.Random
import kotlin.time.Duration

/** Whether a failed transaction runs again, and when. */
internal class RetryState(private val policy: RetryPolicy, private val random: Random) {
    /** Runs so far. */
    var attempts: Int = 0
        private set

    /** The wait before the next run; null if there is none. */
    fun failed(failure: Throwable): Duration? {
        attempts++
        val again = failure is StorageException.Platform && failure.category in policy.categories
        if (!again || attempts >= policy.attempts) return null
        val bound = minOf(policy.start * (1 shl minOf(attempts - 1, MAX_DOUBLINGS)), policy.max)
        return bound * random.nextDouble()
    }

    private companion object {
        const val MAX_DOUBLINGS = 20
    }
}

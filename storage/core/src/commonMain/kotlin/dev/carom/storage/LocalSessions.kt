package dev.carom.storage

import kotlinx.coroutines.sync.Semaphore
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/**
 * A number of sessions made in this process: for storage in memory, and for tests. Idle ones are used again, the one
 * returned last first.
 *
 * @property capacity most sessions at a time. At least 1.
 */
@OptIn(ExperimentalAtomicApi::class)
public class LocalSessions<S : Any>(
    override val capacity: Int,
    private val dispose: (S) -> Unit,
    private val create: () -> S,
) : SessionSource<S> {
    public constructor(capacity: Int, create: () -> S) : this(capacity, {}, create)

    // Fair, and a permit granted to a cancelled waiter goes on to the next.
    private val permits = Semaphore(capacity)
    private val idle = AtomicReference<List<S>>(emptyList())

    @Volatile private var closed = false

    override fun tryLease(): SessionLease<S>? = if (permits.tryAcquire()) lend() else null

    override suspend fun lease(holder: String): SessionLease<S> {
        permits.acquire()
        return lend()
    }

    private fun lend(): SessionLease<S> {
        try {
            return LocalLease(take() ?: create())
        } catch (failure: Throwable) {
            permits.release()
            throw failure
        }
    }

    override suspend fun close() {
        closed = true
        disposeIdle()
    }

    private fun disposeIdle() {
        while (true) dispose(take() ?: return)
    }

    private fun take(): S? {
        while (true) {
            val now = idle.load()
            val last = now.lastOrNull() ?: return null
            if (idle.compareAndSet(now, now.dropLast(1))) return last
        }
    }

    private fun put(session: S) {
        while (true) {
            val now = idle.load()
            if (idle.compareAndSet(now, now + session)) return
        }
    }

    private inner class LocalLease(override val session: S) : SessionLease<S> {
        override fun giveBack() {
            put(session)
            try {
                // Whoever closes says so first and then takes what is idle: one of the two sees the other.
                if (closed) disposeIdle()
            } finally {
                permits.release()
            }
        }

        override fun destroy(cause: Throwable?) {
            try {
                dispose(session)
            } finally {
                permits.release()
            }
        }
    }
}

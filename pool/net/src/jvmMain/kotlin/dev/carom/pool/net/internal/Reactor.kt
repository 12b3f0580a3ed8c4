package dev.carom.pool.net.internal

import io.ktor.network.selector.SelectorManager
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicBoolean

/**
 * One selector and its thread, for as long as somebody holds a lease. The first lease starts them and the last one, when
 * released, ends them; another lease starts new ones.
 *
 * The thread is the selector's alone. On a thread shared with user coroutines they would wait behind `select`, for up to half
 * a second each time.
 */
internal class Reactor {
    private val lock = Any()
    private var running: Running? = null
    private var leases = 0

    fun lease(): Lease = synchronized(lock) {
        val current = running ?: Running().also { running = it }
        leases++
        Lease(current.selector)
    }

    private fun released() {
        val last = synchronized(lock) {
            if (--leases > 0) return
            running.also { running = null }
        }
        last?.stop()
    }

    inner class Lease(val selector: SelectorManager) {
        private val released = AtomicBoolean()

        /** Idempotent. */
        fun release() {
            if (released.compareAndSet(false, true)) released()
        }
    }

    private class Running {
        private val executor = Executors.newSingleThreadExecutor { task ->
            Thread(task, "carom-net-selector").apply { isDaemon = true }
        }

        // Without a parent on purpose: connections of several pools may share the selector, so that it belongs to no
        // one's scope. The leases end it.
        private val job = Job()
        val selector = SelectorManager(executor.asCoroutineDispatcher() + job)

        fun stop() {
            selector.close()
            job.complete()
            // Not before the selector's coroutine has ended: it would be cut off with its descriptors open.
            job.invokeOnCompletion { executor.shutdown() }
        }
    }
}

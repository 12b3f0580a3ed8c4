package dev.carom.sockets.internal.ktor

import io.ktor.network.selector.SelectorManager
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import java.util.concurrent.Executors

/**
 * One selector and its thread, for as long as somebody holds it: [acquire] and [release] come in pairs. The thread is the
 * selector's alone: whoever shared it would wait behind `select`, for up to half a second each time.
 */
internal class KtorReactor {
    private val lock = Any()
    private var running: Running? = null
    private var holders = 0

    fun acquire(): SelectorManager = synchronized(lock) {
        val current = running ?: Running().also { running = it }
        holders++
        current.selector
    }

    fun release() {
        val last = synchronized(lock) {
            if (--holders > 0) return
            running.also { running = null }
        }
        last?.stop()
    }

    private class Running {
        private val executor = Executors.newSingleThreadExecutor { task ->
            Thread(task, "carom-sockets-ktor").apply { isDaemon = true }
        }

        // Without a parent on purpose: sockets of several scopes share it. Its holders end it.
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

package dev.carom.gossip.net.internal

import io.ktor.network.selector.SelectorManager
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import java.util.concurrent.Executors

/** A selector on a thread that nothing else runs on: coroutines there would wait behind `select`. */
internal class Reactor {
    private val executor = Executors.newSingleThreadExecutor { task ->
        Thread(task, "carom-gossip-selector").apply { isDaemon = true }
    }

    // Without a parent on purpose: sockets must be able to close while the member's scope is being cancelled.
    private val job = Job()
    val selector = SelectorManager(executor.asCoroutineDispatcher() + job)

    /** Ends the thread as soon as the selector has let go of its sockets; returns then. */
    suspend fun stop() {
        selector.close()
        job.complete()
        job.invokeOnCompletion { executor.shutdown() }
        job.join()
    }
}

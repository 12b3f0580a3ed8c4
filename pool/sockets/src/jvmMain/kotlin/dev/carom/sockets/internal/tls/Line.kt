package dev.carom.sockets.internal.tls

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger

/** One thing after another: whoever comes first does what others bring meanwhile. Nobody waits. */
internal class Line {
    private val acts = ConcurrentLinkedQueue<() -> Unit>()
    private val waiting = AtomicInteger()

    /** [act] must not throw. */
    fun run(act: () -> Unit) {
        acts.add(act)
        if (waiting.getAndIncrement() > 0) return
        do acts.remove()() while (waiting.decrementAndGet() > 0)
    }
}

package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.state.SocketEffect.Deliver
import dev.carom.sockets.internal.state.SocketEffect.Drop
import dev.carom.sockets.internal.state.SocketEffect.Fail
import dev.carom.sockets.internal.state.SocketEffect.Pause
import dev.carom.sockets.internal.state.SocketEffect.Resume

/**
 * Fair queueing: receivers take from the pipes that have messages, by [Priorities], and wait in the order they came. A
 * pipe with [limit] messages, or with [bytes] bytes in them, is paused, so its peer waits. Messages outlive their pipe:
 * who sends and exits at once is heard. Of the dead, [MOST_ORPHANS] messages are kept at most.
 */
internal class FairQueue(
    private val limit: Int,
    private val bytes: Int,
    private val effects: MutableList<SocketEffect>,
) {
    private inner class Inlet(val pipe: Int) {
        val messages = ArrayDeque<Message>()
        var attached = true
        var paused = false
        var size = 0L
            private set

        val isFull: Boolean get() = messages.size >= limit || size >= bytes

        fun addLast(message: Message) {
            messages.addLast(message)
            size += message.body.size
        }

        fun addFirst(message: Message) {
            messages.addFirst(message)
            size += message.body.size
        }

        fun removeFirst(): Message = messages.removeFirst().also { size -= it.body.size }

        fun removeLast() {
            size -= messages.removeLast().body.size
        }
    }

    private val turns = Priorities()
    private val inlets = HashMap<Int, Inlet>()
    private val waiting = LinkedHashSet<Long>()
    private var orphans = 0
    private var latest: Inlet? = null

    fun attach(pipe: Int, priority: Int) {
        // A number used again while messages of its first bearer are left: those are of no known pipe any more.
        purge(pipe)
        turns.insert(pipe, priority)
        inlets[pipe] = Inlet(pipe)
    }

    fun detach(pipe: Int) {
        val inlet = inlets[pipe]?.takeIf { it.attached } ?: return
        inlet.attached = false
        val kept = (MOST_ORPHANS - orphans).coerceIn(0, inlet.messages.size)
        val lost = inlet.messages.size - kept
        repeat(lost) { inlet.removeLast() }
        orphans += kept
        if (lost > 0) effects += Drop(pipe, DropReason.PeerGone, lost)
        removeIfEmpty(pipe, inlet)
    }

    /** The pipe is gone, and its messages with it, which are returned. */
    fun purge(pipe: Int): List<Message> {
        val inlet = forget(pipe) ?: return emptyList()
        if (!inlet.attached) orphans -= inlet.messages.size
        if (inlet.messages.isNotEmpty()) effects += Drop(pipe, DropReason.PeerGone, inlet.messages.size)
        return inlet.messages
    }

    fun offer(message: Message) {
        val inlet = inletOf(message.pipe) ?: return
        if (handToFirst(message)) return
        inlet.addLast(message)
        // It is active as long as it has messages.
        if (inlet.messages.size == 1) turns.activate(message.pipe)
        if (!inlet.paused && inlet.isFull) {
            inlet.paused = true
            effects += Pause(message.pipe)
        }
    }

    fun receive(call: Long) {
        val first = effects.size
        val message = poll()
        if (message == null) waiting.add(call) else effects.add(first, Deliver(call, message))
    }

    /** The next message, or null. What follows from its being taken is in the effects. */
    fun poll(): Message? {
        val pipe = turns.take() ?: return null
        val inlet = checkNotNull(inletOf(pipe))
        val message = inlet.removeFirst()
        if (inlet.messages.isNotEmpty()) turns.activate(pipe)
        if (!inlet.attached) orphans--
        if (inlet.paused && inlet.attached && !inlet.isFull) {
            inlet.paused = false
            effects += Resume(pipe)
        }
        removeIfEmpty(pipe, inlet)
        return message
    }

    fun cancel(call: Long) {
        waiting.remove(call)
    }

    /** To the front of its pipe's messages, or to the receiver who waits longest. */
    fun takeBack(message: Message) {
        if (handToFirst(message)) return
        val inlet = inlets.getOrPut(message.pipe) {
            turns.insert(message.pipe, Priorities.HIGHEST)
            Inlet(message.pipe).also { it.attached = false }
        }
        if (!inlet.attached) orphans++
        inlet.addFirst(message)
        turns.activate(message.pipe)
    }

    fun close() {
        for (call in waiting) effects += Fail(call, Failure.Closed)
        waiting.clear()
        for (pipe in inlets.keys.toList()) {
            val inlet = inlets.getValue(pipe)
            if (inlet.messages.isNotEmpty()) effects += Drop(pipe, DropReason.Closed, inlet.messages.size)
            turns.remove(pipe)
        }
        inlets.clear()
        latest = null
        orphans = 0
    }

    /** To whom waits longest, if somebody does. */
    private fun handToFirst(message: Message): Boolean {
        if (waiting.isEmpty()) return false
        val first = waiting.first()
        waiting.remove(first)
        effects += Deliver(first, message)
        return true
    }

    /** Messages come in runs: mostly it is the one of the last time. */
    private fun inletOf(pipe: Int): Inlet? =
        latest?.takeIf { it.pipe == pipe } ?: inlets[pipe]?.also { latest = it }

    private fun removeIfEmpty(pipe: Int, inlet: Inlet) {
        if (inlet.attached || inlet.messages.isNotEmpty()) return
        forget(pipe)
    }

    private fun forget(pipe: Int): Inlet? {
        if (latest?.pipe == pipe) latest = null
        turns.remove(pipe)
        return inlets.remove(pipe)
    }

    companion object {
        const val MOST_ORPHANS = 1024

        /** Messages held per pipe before its peer has to wait. */
        const val DEFAULT_LIMIT = 1024

        /** Bytes held per pipe before its peer has to wait. */
        const val DEFAULT_BYTES = 1 shl 18
    }
}

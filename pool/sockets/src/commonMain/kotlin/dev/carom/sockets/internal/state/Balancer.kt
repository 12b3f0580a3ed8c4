package dev.carom.sockets.internal.state

/**
 * Load balancing: each item goes to one pipe that has room, by [Priorities]; while none has, items wait in the order they
 * came. [hand] gives an item to a pipe.
 */
internal class Balancer<T : Any>(private val hand: (pipe: Int, key: Long, item: T) -> Unit) {
    private val ready = Priorities()
    private val waiting = LinkedHashMap<Long, T>()

    val waits: Int get() = waiting.size

    fun attach(pipe: Int, priority: Int) {
        ready.insert(pipe, priority)
        flushed(pipe)
    }

    fun detach(pipe: Int) = ready.remove(pipe)

    fun flushed(pipe: Int) {
        ready.activate(pipe)
        serve()
    }

    /** The pipe that takes an item at once; none if whoever has one would have to wait. [took] must follow. */
    fun first(): Int = if (waiting.isEmpty()) ready.first() else SocketState.NO_PIPE

    /** The [first] pipe took one, and has [more] room or none. */
    fun took(more: Boolean) {
        if (more) ready.rotate() else ready.take()
    }

    fun offer(key: Long, item: T) {
        // As long as somebody waits no pipe has room.
        val pipe = if (waiting.isEmpty()) ready.take() else null
        if (pipe == null) waiting[key] = item else hand(pipe, key, item)
    }

    /** The item, if it was still waiting. */
    fun withdraw(key: Long): T? = waiting.remove(key)

    fun withdrawAll(): Map<Long, T> = LinkedHashMap(waiting).also { waiting.clear() }

    private fun serve() {
        while (waiting.isNotEmpty()) {
            val pipe = ready.take() ?: return
            val (key, item) = waiting.entries.first()
            waiting.remove(key)
            hand(pipe, key, item)
        }
    }
}

package dev.carom.sockets.internal.state

/**
 * Pipes by priority, 1 first, 16 last. A pipe is chosen only while it is active, and then it is not active any more. Of
 * those with the same priority the one that has been active longest comes first: whoever is always active gets its turn
 * in the round; a lower priority is touched only while no higher one is active.
 */
internal class Priorities {
    /** A place in the ring of its priority while it is active; then [next] is set. The ring's head is one as well. */
    private class Place(val pipe: Int, val priority: Int) {
        var next: Place? = null
        var previous: Place? = null
    }

    private val places = HashMap<Int, Place>()
    private val rings = Array(LOWEST) { priority -> Place(NONE, priority).also { closeRing(it) } }

    /** The one taken last: mostly it is the next to be activated. */
    private var latest: Place? = null

    /** One bit for each ring in which somebody is. */
    private var occupied = 0

    operator fun contains(pipe: Int): Boolean = pipe in places

    val isEmpty: Boolean get() = occupied == 0

    /** [priority] out of 1..16 counts as the nearest of these. */
    fun insert(pipe: Int, priority: Int) {
        if (pipe !in places) places[pipe] = Place(pipe, priority.coerceIn(HIGHEST, LOWEST) - 1)
    }

    fun remove(pipe: Int) {
        if (latest?.pipe == pipe) latest = null
        places.remove(pipe)?.let(::leave)
    }

    fun activate(pipe: Int) {
        val place = latest?.takeIf { it.pipe == pipe } ?: places[pipe] ?: return
        if (place.next == null) activate(place)
    }

    private fun activate(place: Place) {
        val head = rings[place.priority]
        val last = checkNotNull(head.previous)
        last.next = place
        place.previous = last
        place.next = head
        head.previous = place
        occupied = occupied or (1 shl place.priority)
    }

    fun deactivate(pipe: Int) {
        places[pipe]?.let(::leave)
    }

    /** The pipe whose turn it is, which is not active from then on; null if none is active. */
    fun take(): Int? {
        if (occupied == 0) return null
        val first = head()
        leave(first)
        latest = first
        return first.pipe
    }

    /** Whose turn it is, and stays; none if none is active. */
    fun first(): Int = if (occupied == 0) SocketState.NO_PIPE else head().pipe

    /** What taking the [first] and activating it again comes to. */
    fun rotate() {
        val first = head()
        if (first.next === first.previous) return
        leave(first)
        activate(first)
    }

    private fun head(): Place = checkNotNull(rings[occupied.countTrailingZeroBits()].next)

    private fun leave(place: Place) {
        val next = place.next ?: return
        val previous = checkNotNull(place.previous)
        previous.next = next
        next.previous = previous
        place.next = null
        place.previous = null
        if (next === previous) occupied = occupied and (1 shl place.priority).inv()
    }

    private fun closeRing(head: Place) {
        head.next = head
        head.previous = head
    }

    companion object {
        const val HIGHEST = 1
        const val DEFAULT = 8
        const val LOWEST = 16
        private const val NONE = 0
    }
}

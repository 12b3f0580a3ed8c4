package dev.carom.sockets.internal.state

/**
 * Pipes by priority, 1 first, 16 last. A pipe is chosen only while it is active, and then it is not active any more. Of
 * those with the same priority the one that has been active longest comes first: whoever is always active gets its turn
 * in the round; a lower priority is touched only while no higher one is active.
 */
internal class Priorities {
    private val priorities = HashMap<Int, Int>()
    private val active = Array(LOWEST) { LinkedHashSet<Int>() }

    operator fun contains(pipe: Int): Boolean = pipe in priorities

    val isEmpty: Boolean get() = active.all { it.isEmpty() }

    /** [priority] out of 1..16 counts as the nearest of these. */
    fun insert(pipe: Int, priority: Int) {
        if (pipe !in priorities) priorities[pipe] = priority.coerceIn(HIGHEST, LOWEST)
    }

    fun remove(pipe: Int) {
        deactivate(pipe)
        priorities.remove(pipe)
    }

    fun activate(pipe: Int) {
        priorities[pipe]?.let { active[it - 1].add(pipe) }
    }

    fun deactivate(pipe: Int) {
        priorities[pipe]?.let { active[it - 1].remove(pipe) }
    }

    /** The pipe whose turn it is, which is not active from then on; null if none is active. */
    fun take(): Int? {
        val first = active.find { it.isNotEmpty() } ?: return null
        return first.first().also(first::remove)
    }

    companion object {
        const val HIGHEST = 1
        const val DEFAULT = 8
        const val LOWEST = 16
    }
}

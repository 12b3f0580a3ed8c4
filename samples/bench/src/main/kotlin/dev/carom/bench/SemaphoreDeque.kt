package dev.carom.bench

import kotlinx.coroutines.sync.Semaphore

/** What people write by hand: a kotlinx Semaphore for the waiting, a deque under a lock for the connections. */
class SemaphoreDeque(connections: Int) {
    private val permits = Semaphore(connections)
    private val free = ArrayDeque<Noop>(connections).apply { repeat(connections) { add(Noop(it)) } }

    suspend fun claim(): Noop {
        permits.acquire()
        return synchronized(free) { free.removeLast() }
    }

    fun release(connection: Noop) {
        synchronized(free) { free.addLast(connection) }
        permits.release()
    }
}

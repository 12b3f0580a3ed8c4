package dev.carom.pool.testkit

import java.util.concurrent.TimeUnit.NANOSECONDS
import java.util.concurrent.TimeUnit.SECONDS
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** What all threads of one proxy look at, and are woken by. */
internal class FaultBoard {
    private val lock = ReentrantLock()
    private val change = lock.newCondition()
    val links = mutableListOf<FaultLink>()
    var common: Fault = Fault.PASS
    var accepted = 0
    var toTarget = 0L
    var toClients = 0L
    var closed = false

    fun <T> locked(read: FaultBoard.() -> T): T = lock.withLock { read() }

    fun <T> changed(write: FaultBoard.() -> T): T = lock.withLock { write().also { change.signalAll() } }

    fun await(seconds: Long, until: FaultBoard.() -> Boolean, otherwise: FaultBoard.() -> String) = lock.withLock {
        val end = System.nanoTime() + SECONDS.toNanos(seconds)
        while (!until()) check(change.await(end - System.nanoTime(), NANOSECONDS) || until()) { otherwise() }
    }

    /** Waits while [holds] and the proxy is open; false if it closed. */
    fun whileHeld(holds: FaultBoard.() -> Boolean): Boolean = lock.withLock {
        while (!closed && holds()) change.await()
        !closed
    }

    /** Waits [nanos], or until a fault changes; false if the proxy closed. */
    fun pause(nanos: Long): Boolean = lock.withLock {
        val before = common
        var left = nanos
        while (left > 0 && !closed && common === before) left = change.awaitNanos(left)
        !closed
    }
}

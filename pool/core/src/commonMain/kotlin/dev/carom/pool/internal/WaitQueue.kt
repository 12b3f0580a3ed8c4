package dev.carom.pool.internal

import kotlinx.coroutines.CancellableContinuation
import kotlin.time.Duration

/** A claim in the queue. */
internal class Waiter<C : Any>(
    val continuation: CancellableContinuation<Lease<C>>,
    val deadline: Duration,
    val holder: Any?,
    /** It was at the front before, and its connection could not be prepared: it keeps its place. */
    val first: Boolean,
    val attempts: Int,
    val lastFailure: Throwable?,
) {
    internal var before: Waiter<C>? = null
    internal var behind: Waiter<C>? = null
    internal var queued = false

    /** What it waited for, once there is one: a lease or an exception. */
    internal var lease: Lease<C>? = null
    internal var refuse: ((Waiter<C>) -> Throwable)? = null
}

/** First in, first out; leaving from the middle costs nothing. Not thread-safe. */
internal class WaitQueue<C : Any> {
    private var head: Waiter<C>? = null
    private var tail: Waiter<C>? = null

    var size = 0
        private set

    /** The oldest deadline is the head's: all claims wait equally long, and who keeps a place has an older one still. */
    val nextDeadline: Duration? get() = head?.deadline

    fun add(waiter: Waiter<C>) {
        waiter.queued = true
        size++
        val (oldHead, oldTail) = head to tail
        if (oldHead == null || oldTail == null) {
            head = waiter
            tail = waiter
        } else if (waiter.first) {
            waiter.behind = oldHead
            oldHead.before = waiter
            head = waiter
        } else {
            waiter.before = oldTail
            oldTail.behind = waiter
            tail = waiter
        }
    }

    fun poll(): Waiter<C>? = head?.also(::remove)

    fun remove(waiter: Waiter<C>) {
        if (!waiter.queued) return
        waiter.queued = false
        size--
        val before = waiter.before
        val behind = waiter.behind
        if (before == null) head = behind else before.behind = behind
        if (behind == null) tail = before else behind.before = before
        waiter.before = null
        waiter.behind = null
    }
}

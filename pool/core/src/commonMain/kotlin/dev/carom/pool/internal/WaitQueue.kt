package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Role
import dev.carom.pool.WaitingClaim
import kotlinx.coroutines.CancellableContinuation
import kotlin.time.Duration

/** What a claim asks for. */
internal class Request(
    /** Who: a label, a coroutine context, or a [Holding] that says more. */
    val who: Any?,
    val timeout: Duration,
    val deadline: Duration,
    val reserved: Boolean = false,
    private val role: Role? = null,
    private val accepts: ((Backend) -> Boolean)? = null,
) {
    /** Whether any connection will do. */
    val easy: Boolean get() = role == null && accepts == null

    /** For messages. */
    val wish: String get() = listOfNotNull(
        role?.name,
        "acceptable to the claim".takeIf {
            accepts != null
        },
    ).joinToString(" and ")

    /** A predicate that breaks its promise never to throw accepts nothing. */
    fun suits(backend: Backend, role: Role): Boolean = try {
        (this.role == null || this.role == role) && (accepts == null || accepts.invoke(backend))
    } catch (_: Throwable) {
        false
    }

    fun suits(line: Line<*>): Boolean =
        (reserved || !line.reserved) && (easy || suits(line.backend, line.meter.role))
}

/** A claim in the queue. */
internal class Waiter<C : Any>(
    val continuation: CancellableContinuation<Lease<C>>,
    val request: Request,
    /** When it first queued. */
    val since: Duration,
    val attempts: Int,
    val lastFailure: Throwable?,
) {
    val deadline: Duration get() = request.deadline

    /** It was at the front before, and its connection could not be prepared: it keeps its place. */
    val first: Boolean get() = attempts > 0

    internal var before: Waiter<C>? = null
    internal var behind: Waiter<C>? = null

    /** Where it is among the deadlines; -1: not queued. */
    internal var rank = -1

    fun describe(now: Duration): WaitingClaim = WaitingClaim(
        name = nameOf(request.who),
        waitedMillis = (now - since).inWholeMilliseconds,
        leftMillis = (deadline - now).inWholeMilliseconds.coerceAtLeast(0),
        reserved = request.reserved,
        picky = !request.easy,
        tags = (request.who as? Holding)?.tags.orEmpty(),
    )

    /** What it waited for, once there is one: a lease or an exception. */
    internal var lease: Lease<C>? = null
    internal var refuse: ((Waiter<C>) -> Throwable)? = null
}

/**
 * First in, first out, in two lanes of which the reserved one goes first; leaving from the middle costs a logarithm.
 * Not thread-safe.
 */
internal class WaitQueue<C : Any> {
    private val reserved = Lane<C>()
    private val normal = Lane<C>()
    private val deadlines = Deadlines<C>()

    val size: Int get() = deadlines.size
    val nextDeadline: Duration? get() = deadlines.first?.deadline

    /** The head of the normal lane. */
    val head: Waiter<C>? get() = normal.head

    fun add(waiter: Waiter<C>) {
        lane(waiter).add(waiter)
        deadlines.add(waiter)
    }

    fun remove(waiter: Waiter<C>) {
        if (waiter.rank < 0) return
        deadlines.remove(waiter)
        lane(waiter).remove(waiter)
    }

    fun poll(): Waiter<C>? = (reserved.head ?: normal.head)?.also(::remove)

    /** The first, in order, that fits. */
    inline fun first(fits: (Waiter<C>) -> Boolean): Waiter<C>? {
        forEach { if (fits(it)) return it }
        return null
    }

    /** In order; [see] may remove the one it is given. */
    inline fun forEach(see: (Waiter<C>) -> Unit) {
        for (lane in arrayOf(reserved, normal)) {
            var waiter = lane.head
            while (waiter != null) {
                val next = waiter.behind
                see(waiter)
                waiter = next
            }
        }
    }

    /** The one whose deadline is over, if there is one. */
    fun overdue(now: Duration): Waiter<C>? = deadlines.first?.takeIf { it.deadline <= now }

    private fun lane(waiter: Waiter<C>) = if (waiter.request.reserved) reserved else normal
}

/** A doubly linked list. */
internal class Lane<C : Any> {
    var head: Waiter<C>? = null
        private set
    private var tail: Waiter<C>? = null

    fun add(waiter: Waiter<C>) {
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

    fun remove(waiter: Waiter<C>) {
        val before = waiter.before
        val behind = waiter.behind
        if (before == null) head = behind else before.behind = behind
        if (behind == null) tail = before else behind.before = before
        waiter.before = null
        waiter.behind = null
    }
}

/** A binary heap that knows where each waiter is. */
private class Deadlines<C : Any> {
    private val heap = ArrayList<Waiter<C>>()

    val size: Int get() = heap.size
    val first: Waiter<C>? get() = heap.firstOrNull()

    fun add(waiter: Waiter<C>) {
        heap.add(waiter)
        up(heap.lastIndex)
    }

    fun remove(waiter: Waiter<C>) {
        val at = waiter.rank
        val last = heap.removeAt(heap.lastIndex)
        waiter.rank = -1
        if (last === waiter) return
        place(at, last)
        up(at)
        down(last.rank)
    }

    private fun up(from: Int) {
        val waiter = heap[from]
        var at = from
        while (at > 0 && waiter.deadline < heap[(at - 1) / 2].deadline) {
            place(at, heap[(at - 1) / 2])
            at = (at - 1) / 2
        }
        place(at, waiter)
    }

    private fun down(from: Int) {
        val waiter = heap[from]
        var at = from
        while (true) {
            var child = 2 * at + 1
            if (child >= heap.size) break
            if (child + 1 < heap.size && heap[child + 1].deadline < heap[child].deadline) child++
            if (heap[child].deadline >= waiter.deadline) break
            place(at, heap[child])
            at = child
        }
        place(at, waiter)
    }

    private fun place(at: Int, waiter: Waiter<C>) {
        heap[at] = waiter
        waiter.rank = at
    }
}

package dev.carom.pool.testkit

import dev.carom.pool.Backend
import kotlinx.coroutines.CompletableDeferred
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.decrementAndFetch
import kotlin.concurrent.atomics.incrementAndFetch

/**
 * A connection that is a plain object, and notices when it is misused: used by two at once, used after it was closed, or
 * closed twice. Each of these throws [IllegalStateException] there and is remembered in [FakeBackends.violations].
 *
 * @property id how-manieth connection of its [FakeBackends], from 1.
 * @property backend whom it leads to.
 */
@OptIn(ExperimentalAtomicApi::class)
public class FakeConnection internal constructor(
    public val id: Int,
    public val backend: Backend,
    private val report: (String) -> Unit,
) {
    internal val peerGone = CompletableDeferred<Throwable?>()
    private val users = AtomicInt(0)
    private val closes = AtomicInt(0)

    /** Whether it was closed from this side. */
    public val isClosed: Boolean get() = closes.load() > 0

    /** Whether the peer has hung up. */
    public val isBroken: Boolean get() = peerGone.isCompleted

    /** The peer resets the connection, or without a [cause] closes it. */
    public fun hangUp(cause: Throwable?) {
        peerGone.complete(cause)
    }

    /** The peer closes the connection. */
    public fun hangUp(): Unit = hangUp(null)

    /** The caller uses it from here to [leave]. */
    public fun enter() {
        obey(users.incrementAndFetch() == 1) { "$this is used twice at once" }
        obey(!isClosed) { "$this is used after it was closed" }
    }

    /** The caller no longer uses it. */
    public fun leave(): Unit = obey(users.decrementAndFetch() == 0) { "$this was used twice at once" }

    /** [block] between [enter] and [leave]. */
    public inline fun <R> using(block: () -> R): R {
        enter()
        try {
            return block()
        } finally {
            leave()
        }
    }

    internal fun close(): Unit = obey(closes.incrementAndFetch() == 1) { "$this was closed twice" }

    override fun toString(): String = "connection $id to $backend"

    private inline fun obey(rule: Boolean, violation: () -> String) {
        if (rule) return
        val message = violation()
        report(message)
        throw IllegalStateException(message)
    }
}

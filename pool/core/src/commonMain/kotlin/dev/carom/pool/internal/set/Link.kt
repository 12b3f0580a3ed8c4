package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.internal.Backoff
import kotlin.math.ln
import kotlin.random.Random
import kotlin.time.Duration

/** What the one connection to a backend is doing. */
internal sealed interface LinkState {
    data object Idle : LinkState

    class Connecting(val slot: Long) : LinkState

    class Live(val slot: Long, val since: Duration, var nextCheck: Duration, var checking: Boolean = false) : LinkState
}

/** A connection that is not in the set any more, or never will be. */
internal sealed interface Leftover {
    val link: Link

    class Draining(override val link: Link, var deadline: Duration) : Leftover

    /** [opened]: it was in the set once. */
    class Closing(override val link: Link, val opened: Boolean) : Leftover
}

/** One backend and the connection to it. */
internal class Link(val backend: Backend, val backoff: Backoff, var rank: Double) {
    var state: LinkState = LinkState.Idle

    /** Null: listed; else since when it is not. */
    var unlistedAt: Duration? = null

    /** The latest attempt or connection failed; one that the peer closed in peace did not. Never while live. */
    var down = false

    /** Cancelled attempts that have not ended: no other begins before they have. */
    var abandoned = 0
    var attempts = 0
    var failures = 0L
    var lastError: Throwable? = null
    var keptTold = false

    val listed: Boolean get() = unlistedAt == null
    val live: LinkState.Live? get() = state as? LinkState.Live
    val isLive: Boolean get() = state is LinkState.Live
    val isConnecting: Boolean get() = state is LinkState.Connecting

    fun mayConnect(now: Duration): Boolean = state is LinkState.Idle && abandoned == 0 && backoff.notBefore <= now

    fun failed(cause: Throwable?, now: Duration) {
        backoff.failed(now)
        down = true
        failures++
        lastError = cause ?: lastError
    }
}

/** In which order a set likes its backends; lower priorities always come first. */
internal enum class Preference(val order: Comparator<Link>) {
    /** Any order, each set its own: users of few of many backends spread over them by weight. */
    Spread(compareBy({ it.backend.priority }, { it.rank })),

    /** The greater weight first; among equals the one that is connected, for there is no reason to move. */
    Best(compareBy({ it.backend.priority }, { -it.backend.weight }, { !it.isLive }, { it.rank })),
}

/**
 * A place in the order: exponentially distributed with the weight as its rate, so that sorting by it is drawing without
 * replacement by weight (Efraimidis and Spirakis, 2006). Weight 0 is the least share that is not nothing (RFC 2782).
 */
internal fun drawRank(weight: Int, random: Random): Double =
    -ln(1 - random.nextDouble()) / if (weight == 0) LEAST_WEIGHT else weight.toDouble()

private const val LEAST_WEIGHT = 0.01

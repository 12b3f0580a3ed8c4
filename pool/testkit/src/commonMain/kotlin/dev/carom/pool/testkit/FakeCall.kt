package dev.carom.pool.testkit

import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.decrementAndFetch
import kotlin.concurrent.atomics.incrementAndFetch

/**
 * One kind of call to one backend: how it goes from now on, and how often it was made. May be changed at any moment from
 * any thread; a call that is under way goes on as it began.
 */
@OptIn(ExperimentalAtomicApi::class)
public class FakeCall internal constructor(private val what: String) {
    private val begun = AtomicInt(0)
    private val under = AtomicInt(0)
    private val most = AtomicInt(0)
    private val failing = AtomicInt(0)

    @Volatile
    private var mode = Mode.Works

    /** How long a call takes before it works or fails, in milliseconds, by `delay`: virtual in a test's virtual time. */
    @Volatile
    public var delayMillis: Long = 0
        set(value) {
            require(value >= 0) { "delayMillis of $what must be at least 0, was $value" }
            field = value
        }

    /** Calls begun so far. */
    public val count: Int get() = begun.load()

    /** Calls under way. */
    public val underWay: Int get() = under.load()

    /** Most calls that were under way at once. */
    public val mostUnderWay: Int get() = most.load()

    /** Calls work. */
    public fun works() {
        failing.store(0)
        mode = Mode.Works
    }

    /** Calls throw a [FakeFailure]. */
    public fun fails() {
        mode = Mode.Fails
    }

    /** The next [times] calls throw a [FakeFailure]; those after them go as before. */
    public fun failsNext(times: Int) {
        require(times >= 0) { "times of $what must be at least 0, was $times" }
        failing.store(times)
    }

    /** Calls do not return until they are cancelled. */
    public fun hangs() {
        mode = Mode.Hangs
    }

    internal suspend fun perform(backend: String) {
        begun.incrementAndFetch()
        raise(most, under.incrementAndFetch())
        try {
            val unlucky = spend(failing)
            if (delayMillis > 0) delay(delayMillis)
            when {
                unlucky || mode == Mode.Fails -> throw FakeFailure("$what failed at $backend")
                mode == Mode.Hangs -> awaitCancellation()
            }
        } finally {
            under.decrementAndFetch()
        }
    }

    override fun toString(): String = "$what: $mode, $count calls, $underWay under way"

    private enum class Mode { Works, Fails, Hangs }
}

/** What a fake does when it was told to fail. */
public class FakeFailure(message: String) : RuntimeException(message)

/** Takes one of [left], if there is one. */
@OptIn(ExperimentalAtomicApi::class)
private fun spend(left: AtomicInt): Boolean {
    while (true) {
        val now = left.load()
        if (now == 0) return false
        if (left.compareAndSet(now, now - 1)) return true
    }
}

/** To [value], if that is more. */
@OptIn(ExperimentalAtomicApi::class)
internal fun raise(most: AtomicInt, value: Int) {
    while (true) {
        val now = most.load()
        if (now >= value || most.compareAndSet(now, value)) return
    }
}

package dev.carom.pool.testkit

import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.concurrent.atomics.updateAndFetch

/**
 * One address of [FakeBackends]: what connecting to it, and each call on its connections, is like, and what there was.
 * May be changed at any moment from any thread.
 */
@OptIn(ExperimentalAtomicApi::class)
public class FakeBackend internal constructor(private val address: String) {
    /** `Connector.connect`. */
    public val connect: FakeCall = FakeCall("connect")

    /** `Connector.isValid`; see also [valid]. */
    public val check: FakeCall = FakeCall("isValid")

    /** `Connector.onAcquire`, of [HookedFakeBackends] only. */
    public val acquire: FakeCall = FakeCall("onAcquire")

    /** `Connector.onRecycle`, of [HookedFakeBackends] only. */
    public val recycle: FakeCall = FakeCall("onRecycle")

    /** `Connector.close`. A connection whose closing fails or hangs counts as closed all the same. */
    public val close: FakeCall = FakeCall("close")

    /** What checks that work come to. */
    @Volatile
    public var valid: Boolean = true

    /** Whether a new connection dies as soon as it is open. */
    @Volatile
    public var diesAtOnce: Boolean = false

    private val openedCount = AtomicInt(0)
    private val closedCount = AtomicInt(0)
    private val mostLiveCount = AtomicInt(0)
    private val open = AtomicReference(emptySet<FakeConnection>())

    /** Connections opened. */
    public val opened: Int get() = openedCount.load()

    /** Connections closed. */
    public val closed: Int get() = closedCount.load()

    /** Connections open now. */
    public val live: Set<FakeConnection> get() = open.load()

    /** Most connections that were open at once. */
    public val mostLive: Int get() = mostLiveCount.load()

    /** From now on it takes connections, and everything works at once. */
    public fun accepts() {
        listOf(connect, check, acquire, recycle, close).forEach {
            it.works()
            it.delayMillis = 0
        }
        valid = true
        diesAtOnce = false
    }

    /** From now on it refuses connections. Those that are open stay open. */
    public fun refuses(): Unit = connect.fails()

    /** From now on it is dead: refuses connections, and breaks those that are open. */
    public fun dies() {
        refuses()
        breaks(FakeFailure("connection reset by $address"))
    }

    /** The peer resets, or without a [cause] closes, every open connection. */
    public fun breaks(cause: Throwable?): Unit = live.forEach { it.hangUp(cause) }

    /** The peer closes every open connection. */
    public fun breaks(): Unit = breaks(null)

    internal fun isOpen(connection: FakeConnection) {
        openedCount.incrementAndFetch()
        raise(mostLiveCount, open.updateAndFetch { it + connection }.size)
        if (diesAtOnce) connection.hangUp(null)
    }

    internal fun isClosed(connection: FakeConnection) {
        closedCount.incrementAndFetch()
        open.updateAndFetch { it - connection }
    }

    override fun toString(): String = "$address: ${live.size} live, $opened opened, $closed closed"
}

package dev.carom.pool

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.decrementAndFetch
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.time.Duration

/** Backends that can be taken down, made to hang or to hang up; counts everything that is opened and closed. */
@OptIn(ExperimentalAtomicApi::class)
open class FakeNetwork : Connector<FakeConnection> {
    enum class Mode { Up, Refusing, Hanging, HangingUp }

    private val modes = mutableMapOf<String, Mode>()
    private val openedCount = AtomicInt(0)
    private val closedCount = AtomicInt(0)
    private val all = mutableListOf<FakeConnection>()

    var connectDelay: Duration = Duration.ZERO
    var closeDelay: Duration = Duration.ZERO
    var valid: suspend (FakeConnection) -> Boolean = { true }

    /** Connect attempts by backend. */
    val attempts = mutableMapOf<String, Int>()
    var mostConnecting = 0
        private set
    private var connecting = 0

    val opened: Int get() = openedCount.load()
    val closed: Int get() = closedCount.load()
    val live: List<FakeConnection> get() = synchronizedList { all.filter { !it.isClosed } }

    fun set(backend: Backend, mode: Mode) {
        modes[backend.name] = mode
    }

    fun live(backend: Backend): Int = live.count { it.backend == backend }

    override suspend fun connect(backend: Backend): FakeConnection {
        connecting++
        mostConnecting = maxOf(mostConnecting, connecting)
        attempts[backend.name] = (attempts[backend.name] ?: 0) + 1
        try {
            delay(connectDelay)
            return when (modes[backend.name] ?: Mode.Up) {
                Mode.Up -> newConnection(backend)
                Mode.Refusing -> throw Refused("connection refused by $backend")
                Mode.Hanging -> awaitCancellation()
                Mode.HangingUp -> newConnection(backend).also { it.hangUp(null) }
            }
        } finally {
            connecting--
        }
    }

    private fun newConnection(backend: Backend): FakeConnection {
        val connection = FakeConnection(openedCount.incrementAndFetch(), backend)
        synchronizedList { all.add(connection) }
        return connection
    }

    override suspend fun isValid(connection: FakeConnection): Boolean = valid(connection)

    override suspend fun awaitClosed(connection: FakeConnection) {
        connection.peerGone.await()?.let { throw it }
    }

    override suspend fun close(connection: FakeConnection) {
        try {
            delay(closeDelay)
        } finally {
            check(connection.markClosed()) { "$connection was closed twice" }
            closedCount.incrementAndFetch()
        }
    }

    // The stress tests call from several threads; the others from one.
    private fun <T> synchronizedList(block: () -> T): T = synchronized(all, block)
}

@OptIn(ExperimentalAtomicApi::class)
class FakeConnection(val id: Int, val backend: Backend) {
    internal val peerGone = CompletableDeferred<Throwable?>()
    private val users = AtomicInt(0)
    private val closes = AtomicInt(0)

    val isClosed: Boolean get() = closes.load() > 0

    /** The peer closes, or with a [cause] resets, the connection. */
    fun hangUp(cause: Throwable?) {
        peerGone.complete(cause)
    }

    internal fun markClosed(): Boolean = closes.incrementAndFetch() == 1

    /** Fails if somebody else is using it. */
    fun enter() {
        check(users.incrementAndFetch() == 1) { "$this is used twice at once" }
        check(!isClosed) { "$this is used after it was closed" }
    }

    fun leave() {
        check(users.decrementAndFetch() == 0) { "$this was used twice at once" }
    }

    override fun toString(): String = "connection $id to $backend"
}

class Refused(message: String) : RuntimeException(message)

fun backend(name: String, priority: Int = 0, weight: Int = 1, port: Int = 1000): Backend =
    Backend(name, "10.0.0.$name", port, priority, weight)

package dev.carom.pool

import dev.carom.pool.testkit.FakeBackends
import dev.carom.pool.testkit.FakeFailure
import kotlinx.coroutines.delay
import kotlin.time.Duration

typealias FakeConnection = dev.carom.pool.testkit.FakeConnection

/** The test kit's fake backends, in the words of these tests. */
open class FakeNetwork : FakeBackends() {
    enum class Mode { Up, Refusing, Hanging, HangingUp }

    private val counts = mutableMapOf<String, Int>()

    var connectDelay: Duration = Duration.ZERO
    var closeDelay: Duration = Duration.ZERO
    var valid: suspend (FakeConnection) -> Boolean = { true }

    /** Connect attempts by backend. */
    val attempts: Map<String, Int> get() = synchronized(counts) { counts.toMap() }

    /** Most connects under way at once, over all backends. */
    var mostConnecting = 0
        private set
    private var connecting = 0

    fun set(backend: Backend, mode: Mode) {
        val fake = on(backend)
        fake.accepts()
        when (mode) {
            Mode.Up -> Unit
            Mode.Refusing -> fake.refuses()
            Mode.Hanging -> fake.connect.hangs()
            Mode.HangingUp -> fake.diesAtOnce = true
        }
    }

    fun live(backend: Backend): Int = live.count { it.backend == backend }

    override suspend fun connect(backend: Backend): FakeConnection {
        begun(backend)
        try {
            delay(connectDelay)
            return super.connect(backend)
        } catch (failure: FakeFailure) {
            throw Refused("connection refused by $backend: ${failure.message}")
        } finally {
            synchronized(counts) { connecting-- }
        }
    }

    private fun begun(backend: Backend) = synchronized(counts) {
        mostConnecting = maxOf(mostConnecting, ++connecting)
        counts[backend.name] = (counts[backend.name] ?: 0) + 1
    }

    override suspend fun isValid(connection: FakeConnection): Boolean = valid(connection)

    override suspend fun close(connection: FakeConnection) {
        try {
            delay(closeDelay)
        } finally {
            super.close(connection)
        }
    }
}

class Refused(message: String) : RuntimeException(message)

fun backend(name: String, priority: Int = 0, weight: Int = 1, port: Int = 1000): Backend =
    Backend(name, "10.0.0.$name", port, priority, weight)

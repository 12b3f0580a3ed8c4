package dev.carom.pool.testkit

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.concurrent.atomics.update
import kotlin.concurrent.atomics.updateAndFetch

/**
 * A connector to backends that exist only here: they can be told to refuse, to be slow, to hang, to die, and everything
 * opened and closed is counted. A backend nobody has spoken of takes connections at once. For virtual time as for real
 * threads.
 *
 * ```
 * val network = FakeBackends()
 * network.on(b).refuses()
 * network.on(a).connect.delayMillis = 50
 * val pool = openPool("db", ScriptedResolver(a, b), network)
 * …
 * pool.close(0)
 * network.assertAllClosed()
 * ```
 *
 * It has neither `onAcquire` nor `onRecycle`, so that ready connections are lent without suspending;
 * [HookedFakeBackends] has both.
 */
@OptIn(ExperimentalAtomicApi::class)
public open class FakeBackends : Connector<FakeConnection> {
    private val byAddress = AtomicReference(emptyMap<String, FakeBackend>())
    private val broken = AtomicReference(emptyList<String>())
    private val ids = AtomicInt(0)

    /** The script of the backend at this host and port, known or not. */
    public fun on(host: String, port: Int): FakeBackend = at("$host:$port")

    /** The script of the backend at the host and port of [backend]: its name, priority and weight do not matter. */
    public fun on(backend: Backend): FakeBackend = on(backend.host, backend.port)

    /** Every address that was spoken of or connected to. */
    public val all: Collection<FakeBackend> get() = byAddress.load().values

    /** Connections opened. */
    public val opened: Int get() = all.sumOf { it.opened }

    /** Connections closed. */
    public val closed: Int get() = all.sumOf { it.closed }

    /** Connections open now. */
    public val live: List<FakeConnection> get() = all.flatMap { it.live }

    /** What was done that must not be, oldest first: see [FakeConnection]. */
    public val violations: List<String> get() = broken.load()

    /**
     * Everything opened was closed exactly once, and nothing was used that must not be.
     *
     * @throws AssertionError otherwise, with every connection and every violation.
     */
    public fun assertAllClosed() {
        val wrong = violations + live.map { "$it was not closed" }
        if (wrong.isNotEmpty()) throw AssertionError(wrong.joinToString("\n"))
    }

    override suspend fun connect(backend: Backend): FakeConnection {
        val fake = on(backend)
        fake.connect.perform("$backend")
        val connection = FakeConnection(ids.incrementAndFetch(), backend, ::violated)
        fake.isOpen(connection)
        return connection
    }

    override suspend fun isValid(connection: FakeConnection): Boolean {
        val fake = on(connection.backend)
        fake.check.perform("${connection.backend}")
        return fake.valid
    }

    override suspend fun awaitClosed(connection: FakeConnection) {
        connection.peerGone.await()?.let { throw it }
    }

    override suspend fun close(connection: FakeConnection) {
        val fake = on(connection.backend)
        try {
            fake.close.perform("${connection.backend}")
        } finally {
            connection.close()
            fake.isClosed(connection)
        }
    }

    override fun toString(): String = "$opened opened, $closed closed, ${violations.size} violations"

    private fun violated(what: String) = broken.update { it + what }

    private fun at(address: String): FakeBackend = byAddress.load()[address]
        ?: byAddress.updateAndFetch { if (address in it) it else it + (address to FakeBackend(address)) }
            .getValue(address)
}

/** [FakeBackends] whose connections must be prepared for each claim and cleaned after it; both can be scripted. */
public open class HookedFakeBackends : FakeBackends() {
    override suspend fun onAcquire(connection: FakeConnection): Unit =
        on(connection.backend).acquire.perform("${connection.backend}")

    override suspend fun onRecycle(connection: FakeConnection): Unit =
        on(connection.backend).recycle.perform("${connection.backend}")
}

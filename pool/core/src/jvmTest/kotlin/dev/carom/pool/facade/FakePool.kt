package dev.carom.pool.facade

import dev.carom.pool.Backend
import dev.carom.pool.Claim
import dev.carom.pool.ClaimOptions
import dev.carom.pool.ClaimOutcome
import dev.carom.pool.CloseReport
import dev.carom.pool.Explanation
import dev.carom.pool.Fault
import dev.carom.pool.HealthStatus
import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolSnapshot
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.atomic.AtomicBoolean

/** A small real pool over [size] connections that are always there: FIFO, cancellable, without time. */
class FakePool(private val size: Int) : Pool<FakePool.Connection> {
    class Connection(val number: Int)

    override val name: String = "fake"
    override val policy: PoolPolicy = PoolPolicy()
    override val snapshot = MutableStateFlow(snapshotOf(PoolSnapshot.Phase.Open))
    private val happened = MutableSharedFlow<PoolNotice>(extraBufferCapacity = 256)
    override val notices: Flow<PoolNotice> = happened.transformWhile {
        emit(it)
        it !is PoolNotice.PoolClosed
    }

    private val ready = ArrayDeque(List(size) { Connection(it) })
    private val waiters = ArrayDeque<CancellableContinuation<Claim<Connection>>>()
    private val waiting = MutableStateFlow(0)
    private val granted = MutableStateFlow(0)
    private val lent = MutableStateFlow(0)
    private val closing = MutableStateFlow(false)
    private val closed = CompletableDeferred<CloseReport>()

    /** The labels of all claims, in order. */
    val holders = ArrayList<String?>()

    /** How often a claim went past `tryClaim`. */
    @Volatile var suspendingClaims = 0

    @Volatile var discarded = 0

    /** Every suspending claim, once granted, waits for its own cancellation and ignores it: the crossing of both. */
    @Volatile var crossing = false

    @Volatile var readyAsked = 0

    fun lent(): Int = lent.value

    fun waiting(): Int = waiting.value

    fun isClosed(): Boolean = closed.isCompleted

    fun awaitWaiting(count: Int): Unit = runBlocking { waiting.first { it == count } }

    fun awaitLent(count: Int): Unit = runBlocking { lent.first { it == count } }

    fun awaitGranted(count: Int): Unit = runBlocking { granted.first { it == count } }

    fun awaitClosing(): Unit = runBlocking { closing.first { it } }

    fun awaitClosed(): Unit = runBlocking { closed.join() }

    fun tell(notice: PoolNotice) {
        check(happened.tryEmit(notice))
    }

    override suspend fun claim(holder: String?): Claim<Connection> {
        suspendingClaims++
        val claim = tryClaim(holder) ?: waitInLine()
        granted.update { it + 1 }
        if (crossing) {
            try {
                awaitCancellation()
            } catch (_: CancellationException) {
                return claim
            }
        }
        return claim
    }

    private suspend fun waitInLine(): Claim<Connection> = suspendCancellableCoroutine { waiter ->
        val direct = synchronized(waiters) {
            if (ready.isEmpty()) waiters.addLast(waiter).also { waiting.value = waiters.size }
            ready.removeFirstOrNull()?.let { lend(it) }
        }
        waiter.invokeOnCancellation {
            synchronized(waiters) {
                waiters.remove(waiter)
                waiting.value = waiters.size
            }
        }
        if (direct != null) waiter.resume(direct) { _, claim, _ -> claim.close() }
    }

    override fun tryClaim(holder: String?): Claim<Connection>? = synchronized(waiters) {
        if (closing.value) throw PoolException.Closed(name, "pool \"$name\" is closed", null)
        holders += holder
        if (waiters.isEmpty()) ready.removeFirstOrNull()?.let { lend(it) } else null
    }

    private fun lend(connection: Connection): Claim<Connection> {
        lent.update { it + 1 }
        return FakeClaim(connection)
    }

    private fun giveBack(connection: Connection) {
        synchronized(waiters) {
            lent.update { it - 1 }
            val next = waiters.removeFirstOrNull()
            waiting.value = waiters.size
            if (next ==
                null
            ) {
                ready.addLast(connection)
            } else {
                next.resume(lend(connection)) { _, claim, _ -> claim.close() }
            }
        }
        endIfEmpty()
    }

    override suspend fun awaitReady(connections: Int) {
        readyAsked = connections
        if (connections > size) throw PoolException.NoneOnline(name, "$size of $connections connections", emptyMap())
    }

    /** What else was called, in order. */
    val calls = ArrayList<String>()

    override suspend fun claim(options: ClaimOptions): Claim<Connection> {
        calls += "claim($options)"
        return claim(options.holder)
    }

    override fun health(): HealthStatus = unsupported()

    override suspend fun explain(): Explanation = unsupported()

    override suspend fun explain(claim: Claim<Connection>): Explanation = unsupported()

    override suspend fun drain(backend: Backend): Int {
        calls += "drain($backend)"
        return size
    }

    override fun undrain(backend: Backend) {
        calls += "undrain($backend)"
    }

    override fun evict() {
        calls += "evict()"
    }

    override fun evict(backend: Backend) {
        calls += "evict($backend)"
    }

    override fun pause() {
        calls += "pause()"
    }

    override fun resume() {
        calls += "resume()"
    }

    override fun limit(spares: Int, maxSlots: Int) {
        calls += "limit($spares, $maxSlots)"
    }

    private fun unsupported(): Nothing = throw UnsupportedOperationException("see the tests on a real pool")

    override suspend fun close(graceMillis: Long): CloseReport {
        closing.value = true
        synchronized(waiters) { waiters.toList().also { waiters.clear() } }
            .forEach { it.resumeWith(Result.failure(PoolException.Closed(name, "pool \"$name\" is closed", null))) }
        endIfEmpty()
        return closed.await()
    }

    override suspend fun close(): CloseReport = close(10_000)

    private fun endIfEmpty() {
        if (!closing.value || lent.value != 0) return
        val report = CloseReport(size, 0, 0, 0)
        if (closed.complete(report)) {
            snapshot.value = snapshotOf(PoolSnapshot.Phase.Closed)
            tell(PoolNotice.PoolClosed(report))
        }
    }

    private fun snapshotOf(phase: PoolSnapshot.Phase) =
        PoolSnapshot("fake", phase, emptyList(), 0, 0, 0, size, size, opened = 0, closed = 0, paused = false)

    private inner class FakeClaim(private val held: Connection) : Claim<Connection> {
        private val ended = AtomicBoolean()
        override val connection: Connection get() = held.also { check(!ended.get()) { "the claim has ended" } }
        override val backend: Backend = Backend("fake", "127.0.0.1", 1)
        override val id: Long = held.number.toLong()
        override val ageMillis: Long = 0

        override fun report(outcome: ClaimOutcome, latencyNanos: Long) {
            calls += "report($outcome, $latencyNanos)"
        }

        override fun report(cause: Throwable): Fault = Fault.Broken.also { calls += "report($cause)" }

        override fun renew() {
            calls += "renew()"
        }

        override fun close() {
            if (ended.compareAndSet(false, true)) giveBack(held)
        }

        override fun discard(cause: Throwable?) {
            if (!ended.compareAndSet(false, true)) return
            discarded++
            giveBack(Connection(held.number + size))
        }
    }
}

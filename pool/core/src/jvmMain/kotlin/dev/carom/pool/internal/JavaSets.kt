@file:JvmName("JavaSets")

package dev.carom.pool.internal

import dev.carom.pool.BlockingWriter
import dev.carom.pool.ConnectionSet
import dev.carom.pool.MessageWriter
import dev.carom.pool.PersistentPolicy
import dev.carom.pool.PersistentPolicyBuilder
import dev.carom.pool.PersistentState
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.SetLease
import dev.carom.pool.SetPolicy
import dev.carom.pool.SetPolicyBuilder
import dev.carom.pool.SetSnapshot
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.future.await
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.runInterruptible
import java.util.concurrent.CompletionStage
import java.util.function.Function
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

internal fun build(from: SetPolicyBuilder): SetPolicy = SetPolicy(
    target = from.target(),
    maximum = from.maximum(),
    connectTimeout = from.connectTimeout().toKotlinDuration(),
    closeTimeout = from.closeTimeout().toKotlinDuration(),
    checkInterval = from.checkInterval().toKotlinDuration(),
    checkTimeout = from.checkTimeout().toKotlinDuration(),
    checkLeased = from.checkLeased(),
    drainTimeout = from.drainTimeout().toKotlinDuration(),
    replaceWithin = from.replaceWithin().toKotlinDuration(),
    leaseTimeout = from.leaseTimeout().toKotlinDuration(),
    decoherenceInterval = from.decoherenceInterval().toKotlinDuration(),
    backoff = from.backoff(),
    noticeBuffer = from.noticeBuffer(),
)

internal fun fill(to: SetPolicyBuilder, from: SetPolicy) {
    to.target(from.target)
    to.maximum(from.maximum)
    to.connectTimeout(from.connectTimeout.toJavaDuration())
    to.closeTimeout(from.closeTimeout.toJavaDuration())
    to.checkInterval(from.checkInterval.toJavaDuration())
    to.checkTimeout(from.checkTimeout.toJavaDuration())
    to.checkLeased(from.checkLeased)
    to.drainTimeout(from.drainTimeout.toJavaDuration())
    to.replaceWithin(from.replaceWithin.toJavaDuration())
    to.leaseTimeout(from.leaseTimeout.toJavaDuration())
    to.decoherenceInterval(from.decoherenceInterval.toJavaDuration())
    to.backoff(from.backoff)
    to.noticeBuffer(from.noticeBuffer)
}

internal fun build(from: PersistentPolicyBuilder): PersistentPolicy = PersistentPolicy(
    maxMessages = from.maxMessages(),
    maxBytes = from.maxBytes(),
    overflow = from.overflow(),
    attempts = from.attempts(),
    writeTimeout = from.writeTimeout().toKotlinDuration(),
    connection = from.connection(),
)

internal fun fill(to: PersistentPolicyBuilder, from: PersistentPolicy) {
    to.maxMessages(from.maxMessages)
    to.maxBytes(from.maxBytes)
    to.overflow(from.overflow)
    to.attempts(from.attempts)
    to.writeTimeout(from.writeTimeout.toJavaDuration())
    to.connection(from.connection)
}

internal fun <C : Any, M : Any> writer(blocking: BlockingWriter<C, M>): MessageWriter<C, M> = WriterAdapter(blocking)

private class WriterAdapter<C : Any, M : Any>(private val blocking: BlockingWriter<C, M>) : MessageWriter<C, M> {
    private val dispatcher = blockingDispatcher()

    override suspend fun write(connection: C, message: M): Unit =
        runInterruptible(dispatcher) { blocking.write(connection, message) }

    override fun sizeOf(message: M): Long = blocking.sizeOf(message)

    override fun toString(): String = blocking.toString()
}

/** What [MessageWriter.sizeOf] says if it is not overridden. */
internal fun usualSize(message: Any): Long = UsualSize.sizeOf(message)

private val UsualSize = MessageWriter<Any, Any> { _, _ -> }

/** [call] for a lease: one that was granted although the interrupt came first is ended. */
@Throws(InterruptedException::class)
internal fun <C : Any> share(block: suspend () -> SetLease<C>): SetLease<C> {
    var granted: SetLease<C>? = null
    try {
        return runBlocking { block().also { granted = it } }
    } catch (failure: Throwable) {
        // A cancelled coroutine that ends well all the same has its result dropped by runBlocking.
        granted?.close()
        throw failure
    }
}

internal suspend fun <C : Any, R> useShared(
    set: ConnectionSet<C>,
    work: Function<in C, out CompletionStage<out R>>,
): R = set.lease().use { lease ->
    currentCoroutineContext().ensureActive()
    work.apply(lease.connection).await()
}

/** A StateFlow of itself never ends. */
internal fun setUntilClosed(snapshots: Flow<SetSnapshot>): Flow<SetSnapshot> = snapshots.transformWhile { snapshot ->
    emit(snapshot)
    snapshot.phase != PoolSnapshot.Phase.Closed
}

internal fun statesUntilClosed(states: Flow<PersistentState>): Flow<PersistentState> = states.transformWhile { state ->
    emit(state)
    state != PersistentState.Closed
}

@file:JvmName("BlockingAdapters")

package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.BlockingConnector
import dev.carom.pool.BlockingResolver
import dev.carom.pool.Connector
import dev.carom.pool.Fault
import dev.carom.pool.Resolver
import dev.carom.pool.Role
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext
import java.time.Duration
import java.util.Objects
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.toKotlinDuration

internal fun <C : Any> connector(blocking: BlockingConnector<C>): Connector<C> = ConnectorAdapter(blocking)

internal fun resolver(blocking: BlockingResolver, interval: Duration): Resolver {
    require(!interval.isNegative && !interval.isZero) { "interval must be positive, was $interval" }
    val pause = interval.toKotlinDuration()
    val dispatcher = blockingDispatcher()
    return Resolver {
        flow {
            while (true) {
                emit(runInterruptible(dispatcher) { blocking.resolve().toSet() })
                delay(pause)
            }
        }.distinctUntilChanged()
    }
}

private fun overrides(blocking: BlockingConnector<*>, hook: String): Boolean = blocking.javaClass.methods
    .any { it.name == hook && it.parameterCount == 1 && it.declaringClass != BlockingConnector::class.java }

private class ConnectorAdapter<C : Any>(private val blocking: BlockingConnector<C>) : HookedConnector<C> {
    private val dispatcher = blockingDispatcher()

    override val hooks = Hooks(
        acquire = overrides(blocking, "onAcquire"),
        recycle = overrides(blocking, "onRecycle"),
        valid = overrides(blocking, "isValid"),
        role = overrides(blocking, "probeRole"),
    )

    override suspend fun connect(backend: Backend): C {
        var opened: C? = null
        try {
            return interruptible {
                Objects.requireNonNull(blocking.connect(backend), "connect returned null").also { opened = it }
            }
        } catch (failure: Throwable) {
            // It returned as it was being cancelled: the pool never sees this connection.
            opened?.let { closeLate(it, failure) }
            throw failure
        }
    }

    override suspend fun isValid(connection: C): Boolean = interruptible { blocking.isValid(connection) }

    override suspend fun onAcquire(connection: C): Unit = interruptible { blocking.onAcquire(connection) }

    override suspend fun onRecycle(connection: C): Unit = interruptible { blocking.onRecycle(connection) }

    override suspend fun probeRole(connection: C): Role = interruptible { blocking.probeRole(connection) }

    override fun classify(cause: Throwable): Fault = blocking.classify(cause)

    override suspend fun awaitClosed(connection: C) {
        blocking.whenClosed(connection)?.awaitEnd() ?: awaitCancellation()
    }

    override suspend fun close(connection: C): Unit = interruptible { blocking.close(connection) }

    override fun toString(): String = blocking.toString()

    private suspend fun <T> interruptible(block: () -> T): T = runInterruptible(dispatcher, block)

    private suspend fun closeLate(connection: C, failure: Throwable) = withContext(NonCancellable) {
        try {
            close(connection)
        } catch (closing: Throwable) {
            failure.addSuppressed(closing)
        }
    }
}

/** Unlike `await`, does not cancel the stage when it is cancelled itself: the stage is the user's. */
private suspend fun CompletionStage<*>.awaitEnd(): Unit = suspendCancellableCoroutine { waiter ->
    whenComplete { _, failure ->
        when (failure) {
            null -> waiter.resume(Unit)
            is CompletionException -> waiter.resumeWithException(failure.cause ?: failure)
            else -> waiter.resumeWithException(failure)
        }
    }
}

private const val THREADS = 64

/** Until JDK 24 a virtual thread that blocks in `synchronized`, as many drivers do, keeps its carrier (JEP 491). */
private const val UNPINNED_JDK = 24

private val virtualThreads: CoroutineDispatcher? =
    if (Runtime.version().feature() >= UNPINNED_JDK) {
        val create = Executors::class.java.getMethod("newVirtualThreadPerTaskExecutor")
        (create.invoke(null) as Executor).asCoroutineDispatcher()
    } else {
        null
    }

/** A view of its own: calls that hang take no thread away from other users of [Dispatchers.IO]. */
internal fun blockingDispatcher(): CoroutineDispatcher =
    virtualThreads ?: Dispatchers.IO.limitedParallelism(THREADS, "carom-blocking")

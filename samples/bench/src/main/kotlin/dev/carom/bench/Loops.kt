@file:JvmName("Loops")

package dev.carom.bench

import dev.carom.pool.Pool
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.reactor.awaitSingle
import kotlinx.coroutines.reactor.awaitSingleOrNull
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import reactor.pool.InstrumentedPool
import javax.sql.DataSource

/** Claims and releases of one call of a `…OneCaller` loop: so many that `runBlocking` itself (0.5 µs) is no part of the result. */
const val ONE_CALLER: Int = 1_000

/** Cycles of one call of a `…Crowd` loop, shared by all its coroutines. */
const val CROWD: Int = 100_000

// One loop for each pool rather than one over an interface: the call to the pool is then as direct as in its user's code.
// What a loop returns depends on every connection it got, so nothing can be optimised away.

fun caromOneCaller(pool: Pool<Noop>): Int = runBlocking {
    var sum = 0
    repeat(ONE_CALLER) {
        val claim = pool.claim()
        sum += claim.connection.id
        claim.close()
    }
    sum
}

fun semaphoreOneCaller(pool: SemaphoreDeque): Int = runBlocking {
    var sum = 0
    repeat(ONE_CALLER) {
        val connection = pool.claim()
        sum += connection.id
        pool.release(connection)
    }
    sum
}

fun reactorOneCaller(pool: InstrumentedPool<Noop>): Int = runBlocking {
    var sum = 0
    repeat(ONE_CALLER) {
        val ref = pool.acquire().awaitSingle()
        sum += ref.poolable().id
        ref.release().awaitSingleOrNull()
    }
    sum
}

fun jdbcOnIoOneCaller(source: DataSource): Int = runBlocking {
    var sum = 0
    repeat(ONE_CALLER) {
        val connection = withContext(Dispatchers.IO) { source.connection }
        sum += System.identityHashCode(connection)
        connection.close()
    }
    sum
}

fun caromCrowd(pool: Pool<Noop>, on: CoroutineDispatcher, callers: Int) = crowd(on, callers) {
    val claim = pool.claim()
    yield()
    claim.close()
}

fun semaphoreCrowd(pool: SemaphoreDeque, on: CoroutineDispatcher, callers: Int) = crowd(on, callers) {
    val connection = pool.claim()
    yield()
    pool.release(connection)
}

fun reactorCrowd(pool: InstrumentedPool<Noop>, on: CoroutineDispatcher, callers: Int) = crowd(on, callers) {
    val ref = pool.acquire().awaitSingle()
    yield()
    ref.release().awaitSingleOrNull()
}

/** Released by the caller, not on `Dispatchers.IO`, whose threads may all be waiting for this very connection. */
fun jdbcOnIoCrowd(source: DataSource, on: CoroutineDispatcher, callers: Int) = crowd(on, callers) {
    val connection = withContext(Dispatchers.IO) { source.connection }
    yield()
    connection.close()
}

private inline fun crowd(on: CoroutineDispatcher, callers: Int, crossinline cycle: suspend () -> Unit) {
    runBlocking(on) {
        repeat(callers) { launch { repeat(CROWD / callers) { cycle() } } }
    }
}

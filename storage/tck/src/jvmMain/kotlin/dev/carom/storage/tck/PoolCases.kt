package dev.carom.storage.tck

import dev.carom.storage.OpOptions
import dev.carom.storage.StorageConn
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.conn
import dev.carom.storage.stream
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Long enough that nobody waits for it. */
internal const val LONG = 120_000L

internal fun <S : Any> CaseList<S>.waitingCases() {
    case("B1", "a call that is cancelled already takes nothing") {
        supervisorScope {
            launch {
                currentCoroutineContext().cancel()
                pool.use { throw AssertionError("the block ran") }
            }.join()
        }
        checkEquals("waiting", 0, pool.stats().waiting)
    }

    case("B2", "cancelled while waiting: gone from the queue, and a release serves the next one", capacity = 1) {
        val conn = pool.conn()
        supervisorScope {
            val first = launch(start = CoroutineStart.UNDISPATCHED) { pool.use { } }
            val second = async(start = CoroutineStart.UNDISPATCHED) { pool.use { "served" } }
            checkEquals("waiting", 2, pool.stats().waiting)
            first.cancelAndCheck("the first waiter")
            checkEquals("waiting", 1, pool.stats().waiting)
            conn.close()
            checkEquals("the second waiter", "served", second.await())
        }
    }

    case("B3", "cancellation against delivery, a thousand times: nothing is lost", capacity = 2) {
        val random = Random(3)
        supervisorScope {
            repeat(1_000) {
                launch { pool.use { } }.also { job -> if (random.nextBoolean()) job.cancel() }
            }
        }
        settle("nothing is leased") { leased == 0 }
        checkEquals("waiting", 0, pool.stats().waiting)
        coroutineScope { List(2) { async { pool.use { } } }.awaitAll() }
    }
}

internal fun <S : Any> CaseList<S>.operationCases() {
    case(
        "B19",
        "two operations in a row on a pool of one: the second does not wait for the first's return",
        capacity = 1,
    ) {
        write(pool, "a", "1")
        checkEquals("the value", "1", read(pool, "a"))
    }

    case("B20", "a failed operation gives its session back, and the next one works", capacity = 1) {
        failure<StorageException.Platform>("the operation") { target.fail(pool) }
        write(pool, "a", "1")
        checkEquals("the value", "1", read(pool, "a"))
    }

    if (target.stopsRunning) stoppingCases()

    case("B25", "an operation that has ended is not undone by a cancellation") {
        supervisorScope {
            launch {
                write(pool, "a", "1")
                currentCoroutineContext().cancel()
            }.join()
        }
        checkEquals("the value", "1", read(pool, "a"))
    }
}

private fun <S : Any> CaseList<S>.stoppingCases() {
    case("B21", "a running operation is stopped when it is cancelled, and its session is free", capacity = 1) {
        val start = TimeSource.Monotonic.markNow()
        supervisorScope {
            val call = launch { target.slow(pool, LONG) }
            settle("the operation runs") { leased == 1 }
            call.cancelAndCheck("the operation")
        }
        check("it was stopped long before its end", start.elapsedNow() < 30.seconds)
        write(pool, "a", "1")
    }

    case("B23", "random cancellations: no other operation ever fails with a cancel code", capacity = 2) {
        val random = Random(23)
        write(pool, "a", "1")
        supervisorScope {
            repeat(300) {
                val victim = launch { target.slow(pool, 50) }
                val innocent = async { read(pool, "a") }
                delay(random.nextInt(3).milliseconds)
                victim.cancel()
                checkEquals("the innocent operation", "1", innocent.await())
                victim.join()
            }
        }
    }

    case("B24", "cancelled right after its start: it does not run to its end", capacity = 1) {
        repeat(20) {
            val start = TimeSource.Monotonic.markNow()
            supervisorScope {
                val call = launch(start = CoroutineStart.UNDISPATCHED) { target.slow(pool, LONG) }
                call.cancelAndCheck("the operation")
            }
            check("it was stopped", start.elapsedNow() < 30.seconds)
        }
    }

    case("B31", "an operation's own timeout is no cancellation, and leaves the session clean", capacity = 1) {
        val hurried = Hurried(pool, OpOptions(timeout = 50.milliseconds))
        failure<StorageException.OpTimeout>("the operation") { target.slow(hurried, LONG) }
        write(pool, "a", "1")
    }

    case("B38", "a cancelled operation leaves its connection open, or broken if its session is lost") {
        pool.conn { conn ->
            supervisorScope {
                val call = launch { target.slow(conn, LONG) }
                delay(20)
                call.cancelAndCheck("the operation")
            }
            when (conn.status) {
                dev.carom.storage.ConnStatus.OPEN -> write(conn, "a", "1")

                else -> failure<StorageException.ConnBroken>("an operation on the broken connection") {
                    read(conn, "a")
                }
            }
        }
    }
}

internal fun <S : Any> CaseList<S>.connectionCases() {
    case("B37", "a failed operation keeps its connection open") {
        pool.conn { conn ->
            failure<StorageException.Platform>("the operation") { target.fail(conn) }
            checkEquals("status", dev.carom.storage.ConnStatus.OPEN, conn.status)
            write(conn, "a", "1")
            checkEquals("the value", "1", read(conn, "a"))
        }
    }

    case("B40", "operations of several coroutines on one connection run one after the other") {
        pool.conn { conn ->
            coroutineScope { repeat(20) { n -> launch { write(conn, "k$n", "$n") } } }
            repeat(20) { n -> checkEquals("value $n", "$n", read(conn, "k$n")) }
        }
    }

    case("B44", "an operation after close is refused") {
        val conn = pool.conn()
        conn.close()
        conn.close()
        failure<StorageException.ConnClosed>("the operation") { read(conn, "a") }
    }

    case("B47", "conn { } returns its session after a value, an exception and a cancellation", capacity = 1) {
        checkEquals("the value", 1, pool.conn { 1 })
        failure<IllegalStateException>("the block") { pool.conn { error("mine") } }
        supervisorScope {
            val call = launch { pool.conn { awaitCancellation() } }
            settle("it has the session") { leased == 1 }
            call.cancelAndCheck("the block")
        }
        write(pool, "a", "1")
    }
}

internal fun <S : Any> CaseList<S>.streamCases() {
    case("B128", "what is read to its end gives the session back", capacity = 1) {
        repeat(10) { write(pool, "k$it", "v") }
        var seen = 0
        target.readMany(pool, 10) { seen++ }
        checkEquals("read", 10, seen)
        write(pool, "a", "1")
    }

    case("B129", "what is closed early gives the session back", capacity = 1) {
        val numbers = pool.stream<S, Int> { repeat(1_000) { emit(it) } }
        checkEquals("read", 3, numbers.take(3).toList().size)
        write(pool, "a", "1")
    }

    case("B131", "cancelled while reading: the session is back, and usable", capacity = 1) {
        repeat(10) { write(pool, "k$it", "v") }
        supervisorScope {
            val reading = CompletableDeferred<Unit>()
            val reader = launch {
                target.readMany(pool, 10) {
                    reading.complete(Unit)
                    awaitCancellation()
                }
            }
            reading.await()
            checkEquals("leased", 1, leased)
            reader.cancelAndCheck("the reader")
        }
        checkEquals("the value", "v", read(pool, "k1"))
    }

    case("B132", "a few of many values are read, and the session answers at once", capacity = 1) {
        repeat(300) { write(pool, "k$it", "v") }
        var seen = 0
        target.readMany(pool, 3) { seen++ }
        checkEquals("read", 3, seen)
        val start = TimeSource.Monotonic.markNow()
        checkEquals("the value", "v", read(pool, "k299"))
        check("it did not wait for the rest", start.elapsedNow() < 10.seconds)
    }

    case("B134", "the collector's exception comes when the session is back", capacity = 1) {
        repeat(3) { write(pool, "k$it", "v") }
        failure<IllegalStateException>("the collector") { target.readMany(pool, 3) { error("mine") } }
        settle("nothing is leased") { leased == 0 }
    }
}

internal fun <S : Any> CaseList<S>.closeCases() {
    case("B141", "closing waits for a reader that does not read no longer than it was told") {
        repeat(10) { write(pool, "k$it", "v") }
        supervisorScope {
            val reading = CompletableDeferred<Unit>()
            val goOn = CompletableDeferred<Unit>()
            val reader = launch {
                target.readMany(pool, 10) {
                    reading.complete(Unit)
                    goOn.await()
                }
            }
            reading.await()
            pool.close(50)
            checkEquals("leased", 0, leased)
            goOn.complete(Unit)
            reader.join()
        }
    }

    case("B155", "closing fails those who wait, in order", capacity = 1) {
        val conn = pool.conn()
        val failed = mutableListOf<Int>()
        supervisorScope {
            val waiting = List(3) { n ->
                launch(start = CoroutineStart.UNDISPATCHED) {
                    failure<StorageException.PoolClosed>("waiter $n") { pool.use { } }
                    failed += n
                }
            }
            val closer = launch(start = CoroutineStart.UNDISPATCHED) { pool.close() }
            waiting.forEach { it.join() }
            conn.close()
            closer.join()
        }
        checkEquals("failed", listOf(0, 1, 2), failed)
    }

    case(
        "B156",
        "while the pool closes, what is lent stays usable; close returns after the last return",
        capacity = 1,
    ) {
        val conn = pool.conn()
        supervisorScope {
            val closer = launch(start = CoroutineStart.UNDISPATCHED) { pool.close() }
            write(conn, "a", "1")
            checkEquals("the value", "1", read(conn, "a"))
            check("close waits", closer.isActive)
            (conn as StorageConn<*>).close()
            closer.join()
        }
        failure<StorageException.PoolClosed>("an operation afterwards") { read(pool, "a") }
    }

    if (target.stopsRunning) {
        case("B159", "when the drain is over, what runs is stopped", policy = StoragePolicy(cancelGrace = 5.seconds)) {
            supervisorScope {
                val call = async {
                    failure<StorageException>("the operation") { target.slow(pool, LONG) }
                }
                settle("the operation runs") { leased == 1 }
                val start = TimeSource.Monotonic.markNow()
                pool.close(50)
                check("close is bounded", start.elapsedNow() < 30.seconds)
                call.await()
            }
        }
    }
}

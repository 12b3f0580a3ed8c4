package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.CancelClass
import dev.carom.storage.StoragePolicy
import dev.carom.storage.sql.exec
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.lang.reflect.InvocationHandler
import java.lang.reflect.Proxy
import java.sql.Connection
import java.sql.PreparedStatement
import java.sql.SQLException
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private typealias Mark = TimeSource.Monotonic.ValueTimeMark

private fun now(): Mark = TimeSource.Monotonic.markNow()

private val LINGER = 300.milliseconds

/** A session whose request to stop hangs: what becomes of its connection at the end of the grace. */
class CutOffTest :
    FunSpec({
        suspend fun cutOff(duringAbort: suspend (Mute) -> Unit) = withContext(Dispatchers.Default) {
            val database = Mute()
            try {
                withTimeout(20.seconds) {
                    database.pool { pool ->
                        val victim = launch { pool.exec("hang") }
                        database.runs.await()
                        victim.cancel()
                        victim.join()
                        database.aborts.await()
                        duringAbort(database)
                        database.mayAbort.complete(Unit)
                        pool.exec("go on")
                        pool.stats().cancels[CancelClass.TIMEOUT] shouldBe 1
                    }
                }
            } finally {
                database.release()
            }
            database
        }

        test("a request to stop that hangs does not hold up the cutting off") {
            val database = cutOff { it.mayAbort.complete(Unit) }
            database.opened.size shouldBe 2
        }

        test("a connection counts for its linger after it was cut off, not after that was asked for") {
            val database = cutOff {
                val asked = now()
                while (asked.elapsedNow() < LINGER) delay(5)
            }
            (database.opened[1] - database.aborted.await()) shouldBeGreaterThanOrEqualTo LINGER
        }
    })

/** A server of which the first connection answers nothing until it is cut off, nor do requests to stop what it runs. */
private class Mute {
    val opened = mutableListOf<Mark>()
    val runs = CompletableDeferred<Unit>()
    val aborts = CompletableDeferred<Unit>()
    val mayAbort = CompletableDeferred<Unit>()
    val aborted = CompletableDeferred<Mark>()
    private val mayCancel = CompletableDeferred<Unit>()

    fun release() {
        mayAbort.complete(Unit)
        mayCancel.complete(Unit)
        aborted.complete(now())
    }

    suspend fun pool(block: suspend CoroutineScope.(JdbcPool) -> Unit) = coroutineScope {
        val resolver = flowOf(setOf(Backend("mute", "localhost", 1))).asResolver()
        val policy = StoragePolicy(cancelGrace = 50.milliseconds)
        val jdbc = JdbcPolicy(linger = LINGER)
        val numbers = PoolPolicy(1, 1, closeTimeout = 20.seconds)
        val pool = openJdbc("mute", JdbcDialect.OTHER, resolver, { connection() }, numbers, policy, jdbc)
        try {
            block(pool)
        } finally {
            release()
            pool.close(0)
        }
    }

    private fun connection(): Connection {
        opened += now()
        val first = opened.size == 1
        return fake<Connection> { name ->
            when (name) {
                "prepareStatement" -> statement(first)
                "abort" -> abort()
                "getAutoCommit", "isValid" -> true
                else -> null
            }
        }
    }

    private fun statement(first: Boolean) = fake<PreparedStatement> { name ->
        when (name) {
            "execute" -> if (first) hang() else false
            "cancel" -> wait(mayCancel)
            "getUpdateCount" -> 0
            else -> null
        }
    }

    private fun hang(): Nothing {
        runs.complete(Unit)
        wait(aborted)
        throw SQLException("cut off", "08006")
    }

    private fun abort() {
        aborts.complete(Unit)
        wait(mayAbort)
        aborted.complete(now())
    }

    private fun wait(gate: CompletableDeferred<*>) {
        runBlocking { gate.await() }
    }

    private inline fun <reified T> fake(crossinline answer: (String) -> Any?): T {
        val handler = InvocationHandler { _, method, _ -> answer(method.name) }
        return Proxy.newProxyInstance(T::class.java.classLoader, arrayOf(T::class.java), handler) as T
    }
}

package dev.carom.samples.echo

import dev.carom.pool.Backend
import dev.carom.pool.Claim
import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.net.TcpConnection
import io.ktor.utils.io.readLine
import io.ktor.utils.io.writeStringUtf8
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicLong
import kotlin.random.Random
import kotlin.time.ComparableTimeMark
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Many users of one pool: claim, send a line, compare what comes back, return, think. */
class Load(private val pool: Pool<TcpConnection>) {
    private val echoCount = AtomicLong()

    /** Claims that ended in a [PoolException]. */
    val refused = ConcurrentLinkedQueue<PoolException>()

    /** Claims whose connection broke while the user had it. */
    val broken = ConcurrentLinkedQueue<Broken>()

    @Volatile
    private var running = true
    private var users = emptyList<Job>()

    /** Lines that came back as they were sent. */
    val echoes: Long get() = echoCount.get()

    /** A connection that broke in a user's hands, [granted] being when the user had got it. */
    class Broken(val backend: Backend, val granted: ComparableTimeMark, val cause: Throwable)

    fun start(scope: CoroutineScope, count: Int) {
        users = List(count) { number -> scope.launch(Dispatchers.Default) { user(number) } }
    }

    /** Lets every user finish what it is doing. */
    suspend fun stop() {
        running = false
        users.joinAll()
    }

    private suspend fun user(number: Int) {
        var line = 0
        while (running) {
            try {
                pool.claim("user-$number").let { work(it, "user $number says ${line++}") }
            } catch (e: PoolException) {
                refused += e
            }
            delay(Random.nextLong(LEAST_THINK_MILLIS, MOST_THINK_MILLIS))
        }
    }

    private suspend fun work(claim: Claim<TcpConnection>, line: String) {
        val granted = TimeSource.Monotonic.markNow()
        val failure = try {
            echo(claim.connection, line)
        } catch (e: IOException) {
            e
        } catch (e: CancellationException) {
            claim.discard()
            currentCoroutineContext().ensureActive()
            e
        }
        if (failure == null) {
            echoCount.incrementAndGet()
            claim.close()
        } else {
            broken += Broken(claim.backend, granted, failure)
            claim.discard(failure)
        }
    }

    /** Null if the line came back. */
    private suspend fun echo(connection: TcpConnection, line: String): IOException? {
        connection.output.writeStringUtf8("$line\n")
        connection.output.flush()
        var back: String? = null
        withTimeoutOrNull(ECHO_TIMEOUT) { back = connection.input.readLine() }
            ?: return IOException("no echo within $ECHO_TIMEOUT")
        return if (back == line) null else IOException("sent \"$line\", got ${back?.let { "\"$it\"" } ?: "the end"}")
    }

    private companion object {
        const val LEAST_THINK_MILLIS = 5L
        const val MOST_THINK_MILLIS = 20L
        val ECHO_TIMEOUT = 30.seconds
    }
}

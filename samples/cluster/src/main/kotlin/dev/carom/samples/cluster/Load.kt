package dev.carom.samples.cluster

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
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Users of the pool: each asks who is there, again and again. */
class Load(private val pool: Pool<TcpConnection>) {
    private val count = AtomicLong()

    @Volatile
    private var running = true
    private var users = emptyList<Job>()

    /** Claims that the pool refused. */
    val refused = ConcurrentLinkedQueue<PoolException>()

    /** Ports of backends that broke in a user's hands. */
    val broken = ConcurrentLinkedQueue<Int>()

    /** Who answered. */
    val names: MutableSet<String> = ConcurrentHashMap.newKeySet()

    val answers: Long get() = count.get()

    fun start(scope: CoroutineScope, users: Int) {
        this.users = List(users) { number -> scope.launch(Dispatchers.Default) { use(number) } }
    }

    /** Lets every user finish what it is doing. */
    suspend fun stop() {
        running = false
        users.joinAll()
    }

    private suspend fun use(number: Int) {
        while (running) {
            try {
                ask(pool.claim("user-$number"))
            } catch (e: PoolException) {
                refused += e
            }
            delay(THINK)
        }
    }

    private suspend fun ask(claim: Claim<TcpConnection>) {
        val failure = try {
            who(claim.connection)
        } catch (e: IOException) {
            e
        } catch (e: CancellationException) {
            claim.discard()
            currentCoroutineContext().ensureActive()
            e
        }
        if (failure == null) {
            claim.close()
        } else {
            broken += claim.backend.port
            claim.discard(failure)
        }
    }

    /** Null: there was an answer. */
    private suspend fun who(connection: TcpConnection): IOException? {
        connection.output.writeStringUtf8("who\n")
        connection.output.flush()
        var name: String? = null
        withTimeoutOrNull(PATIENCE) { name = connection.input.readLine() } ?: return IOException("no answer")
        names += name ?: return IOException("the end")
        count.incrementAndGet()
        return null
    }

    private companion object {
        val THINK = 5.milliseconds
        val PATIENCE = 10.seconds
    }
}

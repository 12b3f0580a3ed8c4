package dev.carom.samples.messaging.perf

import dev.carom.sockets.MessageSocket
import dev.carom.sockets.SocketException
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer

/** The protocols that can be measured. */
enum class PerfProtocol { ReqRep, Pair, Pipeline, PubSub, Bus, Survey }

/**
 * The numbers of a run.
 *
 * @property count messages that are measured; null: until somebody ends it.
 * @property back where a client listens for what comes back, where one socket goes one way only.
 * @property blocking whether threads use the facade for Java: with reqrep there and back, with pipeline one way.
 */
class PerfPlan(
    val protocol: PerfProtocol,
    val url: String,
    val size: Int,
    val count: Int?,
    val warmup: Int,
    val transports: Transports,
    val back: String = if (url.startsWith("tcp://")) "tcp://127.0.0.1:0" else "$url.back",
    val blocking: Boolean = false,
) {
    val name: String get() = protocol.name.lowercase()

    /** Messages in all, if they are counted. */
    val all: Int? get() = count?.plus(warmup)

    /** Whether a receiver that is too slow loses messages. */
    val lossy: Boolean get() = protocol == PerfProtocol.PubSub || protocol == PerfProtocol.Bus

    init {
        require(size in 1..(1 shl 20)) { "size must be in 1..${1 shl 20} bytes, was $size" }
        require(count == null || count > 0) { "count must be at least 1, was $count" }
        require(!blocking || protocol == PerfProtocol.ReqRep || protocol == PerfProtocol.Pipeline) {
            "with blocking threads reqrep and pipeline are measured, not $name"
        }
        require(warmup >= 0) { "warmup must be at least 0, was $warmup" }
    }

    /** Message [number]: it begins with its number if there is room for that. */
    fun message(number: Int, size: Int = this.size): ByteArray = ByteArray(size).also {
        if (it.size >= Long.SIZE_BYTES) ByteBuffer.wrap(it).putLong(number.toLong())
    }

    /** As often as there are messages. */
    inline fun eachMessage(act: (Int) -> Unit) {
        var number = 0
        while (all.let { it == null || number < it }) act(number++)
    }
}

/** Listens where the plan says, tells [bound] of it, works and closes. */
internal suspend fun <S : MessageSocket, R> S.served(
    plan: PerfPlan,
    bound: CompletableDeferred<String>,
    work: suspend S.() -> R,
): R = closing {
    bound.complete(bind(plan.url).url)
    work()
}

/** Connects, works and closes. */
internal suspend fun <S : MessageSocket, R> S.connected(url: String, work: suspend S.() -> R): R = closing {
    connect(url)
    awaitPipes(1)
    work()
}

internal suspend fun <S : MessageSocket, R> S.closing(work: suspend S.() -> R): R = try {
    work()
} finally {
    withContext(NonCancellable) { close(PATIENCE_MILLIS) }
}

/** What was sent is counted elsewhere, where the last message is waited for: it must come there. */
private const val PATIENCE_MILLIS = 60_000L

/** On this thread, which may block: an end of the scope interrupts it, or closes its socket, whichever comes first. */
internal suspend fun <R> onThread(work: () -> R): R = try {
    runInterruptible(block = work)
} catch (closed: SocketException.Closed) {
    currentCoroutineContext().ensureActive()
    throw closed
}

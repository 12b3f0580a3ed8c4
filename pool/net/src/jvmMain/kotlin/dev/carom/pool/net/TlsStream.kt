package dev.carom.pool.net

import dev.carom.pool.net.internal.TlsFailures
import dev.carom.pool.net.internal.TlsInput
import dev.carom.pool.net.internal.TlsRecords
import io.ktor.utils.io.ByteChannel
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.ConcurrentIOException
import io.ktor.utils.io.availableForRead
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.writeFully
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.seconds

/**
 * A TLS session over a pair of channels: what is written to [output] leaves sealed, what arrives sealed is read from [input].
 * Opened by [TlsEngine]; lives in the scope given there, as two coroutines that end with [close], [abort] or the scope.
 *
 * Each direction is for one coroutine at a time; both may go on beside each other. Up to about 1 MiB is read ahead, so that
 * the peer's end is noticed while nobody reads; besides, a session holds three buffers of one record, 16 KiB each.
 *
 * New keys (RFC 8446, section 4.6.3) are answered. A peer that wants to renegotiate (TLS 1.2) breaks the session.
 *
 * @property session what the handshake agreed on.
 */
public class TlsStream internal constructor(
    public val session: TlsSession,
    scope: CoroutineScope,
    private val records: TlsRecords,
    private val sealedInput: ByteReadChannel,
    private val sealedOutput: ByteWriteChannel,
    private val failures: TlsFailures,
) {
    private val incoming = ByteChannel()
    private val outgoing = ByteChannel()
    private val opened = TlsInput(incoming)

    @Volatile
    private var failure: IOException? = null

    @Volatile
    private var closing = false
    private val writing: Job = scope.launch { write() }

    // Last: it may fail at once, and ends the other then.
    private val reading: Job = scope.launch { read(this) }

    init {
        // When the scope is cancelled, nobody who reads or writes is left waiting.
        reading.invokeOnCompletion { cause -> cause?.let { incoming.cancel(closedHere()) } }
        writing.invokeOnCompletion { cause -> cause?.let { outgoing.cancel(closedHere()) } }
    }

    /**
     * What the peer sends. Ends with its `close_notify`. An end without it, a reset or a bad record fails it with an
     * [IOException], a [TlsException] mostly; bytes that came before stay readable, all reads after them fail.
     */
    public val input: ByteReadChannel get() = opened

    /**
     * What the peer shall get. Flush, or bytes stay here. Closing it sends `close_notify` and closes the sealed channel; in
     * TLS 1.3 the other direction stays open.
     */
    public val output: ByteWriteChannel get() = outgoing

    /** Whether both directions are open and nothing is known against the session. */
    public val isOpen: Boolean
        get() = failure == null && reading.isActive && writing.isActive &&
            incoming.closedCause == null && !outgoing.isClosedForWrite

    /**
     * Returns when the peer has ended its side, or this one was closed; takes nothing from who reads.
     *
     * @throws IOException if the session was broken off; a [TlsException] if TLS knows why.
     */
    public suspend fun awaitClosed() {
        reading.join()
        failure?.let { throw it }
    }

    /**
     * Sends what was written, then `close_notify`, closes the sealed output and ends. The peer's end is not waited for, but
     * a peer that does not read holds it up: bound it in time. *Cancelled*, it aborts.
     */
    public suspend fun close() {
        try {
            finish()
        } finally {
            abort()
            withContext(NonCancellable) { join() }
        }
    }

    /** Ends both directions at once and cancels both sealed channels; the peer is told nothing. Idempotent. */
    public fun abort(): Unit = abort(closedHere())

    internal fun abort(cause: IOException) {
        closing = true
        incoming.cancel(cause)
        outgoing.cancel(cause)
        sealedInput.cancel(cause)
        sealedOutput.cancel(cause)
        reading.cancel()
        writing.cancel()
    }

    /** The orderly half of [close]. */
    internal suspend fun finish() {
        closing = true
        try {
            outgoing.flushAndClose()
        } catch (_: CancellationException) {
            // Ours, or only the channel's own: then the user has cancelled it, and nothing is left to send.
            currentCoroutineContext().ensureActive()
        } catch (_: ConcurrentIOException) {
            // Somebody writes to a session that is being closed: neither of the two is owed an orderly end.
            return
        } catch (_: IOException) {
            // The session is broken: nothing can be sent.
        }
        writing.join()
    }

    internal suspend fun join() {
        reading.join()
        writing.join()
    }

    internal val isGone: Boolean get() = reading.isCompleted && writing.isCompleted

    internal val hasUnread: Boolean get() = !incoming.isClosedForRead && incoming.availableForRead > 0

    /** Waits for the peer's first record. @throws IOException if the session ends instead. */
    internal suspend fun awaitHeard() {
        records.heard.await()
        failure?.let { throw it }
    }

    private suspend fun read(scope: CoroutineScope) {
        try {
            var answering: Job? = null
            while (true) {
                val bytes = records.receive {
                    // Not here: who writes may wait for the peer, and the peer for us to read. But only one at a time, or a
                    // peer could pile up answers.
                    answering?.join()
                    answering = scope.launch { quietly { records.sendAnswer() } }
                }
                if (bytes == null) break
                incoming.writeFully(bytes)
                incoming.flush()
            }
            incoming.flushAndClose()
        } catch (e: Throwable) {
            failed(e)
        } finally {
            records.heard.complete(Unit)
        }
    }

    private suspend fun failed(cause: Throwable) {
        if (closing || !currentCoroutineContext().isActive) return
        val given = failures.afterwards(cause)
        failure = given
        records.heard.complete(Unit)
        opened.end(given)
        // Nobody is owed the rest of what is written; but the peer is owed an alert.
        outgoing.cancel(given)
        writing.cancel()
        withTimeoutOrNull(ALERT_TIMEOUT) {
            writing.join()
            quietly {
                records.sendEnd()
                sealedOutput.flushAndClose()
            }
        }
    }

    private suspend fun write() {
        try {
            val buffer = ByteArray(CHUNK)
            while (true) {
                val size = outgoing.readAvailable(buffer, 0, CHUNK)
                if (size < 0) break
                records.send(ByteBuffer.wrap(buffer, 0, size))
                if (outgoing.availableForRead == 0) sealedOutput.flush()
            }
            if (outgoing.closedCause != null) return
            records.sendEnd()
            sealedOutput.flushAndClose()
        } catch (e: Throwable) {
            outgoing.cancel(e)
        }
    }

    private fun closedHere() = IOException("the TLS session is closed")

    private suspend inline fun quietly(call: () -> Unit) {
        try {
            call()
        } catch (_: IOException) {
            // The connection is going anyway.
        } catch (_: CancellationException) {
            currentCoroutineContext().ensureActive()
        }
    }

    private companion object {
        /** What fits into one record. */
        const val CHUNK = 16_384
        val ALERT_TIMEOUT = 1.seconds
    }
}

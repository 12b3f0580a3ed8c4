package dev.carom.sockets

import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/** Asks a [RepSocket] and gets its answer ([Protocol.Req]). Any number of requests may be under way at once. */
public interface ReqSocket : MessageSocket {
    /**
     * Sends [message] to one peer that has room, in turn, and returns its reply. Who has sent an array changes it no
     * more.
     *
     * If the peer's pipe is lost, or no reply came within [SocketPolicy.resend], the request is sent again, to another
     * peer if there is one, under the same id: **a request may be carried out twice**. With an infinite
     * [SocketPolicy.resend] it never is, and fails when the pipe is lost. A reply that is larger than
     * [SocketPolicy.receiveLimit] fails the request, which is not repeated.
     *
     * *Cancelled*, the reply is dropped if it comes; the peer is not told.
     *
     * @throws SocketException.TimedOut if no reply came within [SocketPolicy.requestTimeout].
     * @throws SocketException.PeerLost if the pipe was lost and requests are not to be repeated.
     * @throws SocketException.ReplyTooLarge if the reply is larger than the limit.
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile.
     */
    public suspend fun request(message: ByteArray): ByteArray
}

/** A socket that is asked, and answers. Any number of requests may be in work, and be answered in any order. */
public interface AnsweringSocket : MessageSocket {
    /**
     * The next request, from every peer in turn. Waits while there is none.
     *
     * *Cancelled*, no request is lost: one that was about to be received is there for the next who asks.
     *
     * @throws SocketException.TimedOut if none came within [SocketPolicy.receiveTimeout].
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile.
     */
    public suspend fun receive(): Request

    /**
     * The next request if there is one, or null. Never suspends.
     *
     * @throws SocketException.Closed if the socket is closed.
     */
    public fun tryReceive(): Request?

    /** All requests from now on; those who collect or receive at the same time share them. Completes when the socket closes. */
    public val requests: Flow<Request>
}

/** Answers the requests of every [ReqSocket] ([Protocol.Rep]). */
public interface RepSocket : AnsweringSocket

/** Answers the surveys of every [SurveyorSocket], if it likes ([Protocol.Respondent]). */
public interface RespondentSocket : AnsweringSocket

/**
 * A question that came in. It is kept open until it is answered or closed; of those that nobody closes the oldest are
 * forgotten ([SocketPolicy.openRequests]).
 */
public interface Request : AutoCloseable {
    /** What was asked. */
    public val body: ByteArray

    /** Where it came from. */
    public val pipe: SocketPipe

    /**
     * Answers it, once. Waits while the asker takes nothing. If the asker is gone the answer is dropped and counted, and
     * that is no failure.
     *
     * *Cancelled* while waiting, nothing was sent, and nothing can be any more.
     *
     * @throws SocketException.NoSuchRequest if it was answered, closed or forgotten before.
     * @throws SocketException.TimedOut if it was not accepted within [SocketPolicy.sendTimeout].
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile.
     */
    public suspend fun reply(message: ByteArray)

    /** Nobody will answer. Never blocks; after an answer or a second time it does nothing. */
    override fun close()
}

/** Asks every [RespondentSocket] at once ([Protocol.Surveyor]). Any number of surveys may be under way at once. */
public interface SurveyorSocket : MessageSocket {
    /**
     * The answers to [message]. It is sent when collection begins, anew by each collection, to every pipe there is then;
     * answers are emitted as they come, and the flow completes after [SocketPolicy.surveyDeadline]. Later answers are
     * dropped. While the collector is busy [SocketPolicy.surveyAnswers] are kept, and those beyond are dropped. Who has
     * sent an array changes it no more.
     *
     * *Cancelled*, the survey ends. Fails with [SocketException.Closed] if the socket is closed, or closes meanwhile.
     */
    public fun survey(message: ByteArray): Flow<ByteArray>
}

/**
 * Answers requests with what [handler] makes of them, [concurrency] at a time, until the socket closes; then returns. If
 * the handler throws, its request is closed without an answer, and so are all the others in work, and the exception is
 * thrown here.
 *
 * @param concurrency 1 or more.
 */
public suspend fun AnsweringSocket.serve(concurrency: Int = 16, handler: suspend (ByteArray) -> ByteArray) {
    require(concurrency > 0) { "concurrency must be at least 1, was $concurrency" }
    coroutineScope {
        repeat(concurrency) {
            launch { requests.collect { request -> request.use { it.replyIfOpen(handler(it.body)) } } }
        }
    }
}

private suspend fun Request.replyIfOpen(message: ByteArray) {
    try {
        reply(message)
    } catch (_: SocketException.Closed) {
        // So is the flow of requests: there is nothing more to do.
    }
}

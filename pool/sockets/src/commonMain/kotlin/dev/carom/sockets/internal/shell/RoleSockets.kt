package dev.carom.sockets.internal.shell

import dev.carom.sockets.AnsweringSocket
import dev.carom.sockets.BusSocket
import dev.carom.sockets.MessageSocket
import dev.carom.sockets.PairSocket
import dev.carom.sockets.PubSocket
import dev.carom.sockets.PullSocket
import dev.carom.sockets.PushSocket
import dev.carom.sockets.ReceivingSocket
import dev.carom.sockets.RepSocket
import dev.carom.sockets.ReqSocket
import dev.carom.sockets.Request
import dev.carom.sockets.RespondentSocket
import dev.carom.sockets.SendingSocket
import dev.carom.sockets.SocketException
import dev.carom.sockets.SocketPipe
import dev.carom.sockets.SpreadingSocket
import dev.carom.sockets.SubSocket
import dev.carom.sockets.SurveyorSocket
import dev.carom.sockets.internal.state.Failure
import dev.carom.sockets.internal.state.SocketEvent
import dev.carom.sockets.internal.wire.Body
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration

internal class PushRole(shell: SocketShell) :
    PushSocket,
    SendingSocket by Sending(shell)

internal class PullRole(shell: SocketShell) :
    PullSocket,
    ReceivingSocket by Receiving(shell)

internal class PubRole(shell: SocketShell) :
    PubSocket,
    SpreadingSocket by Spreading(shell)

internal class PairRole(private val shell: SocketShell) :
    PairSocket,
    MessageSocket by shell {
    private val sending = Sending(shell)
    private val receiving = Receiving(shell)
    override val messages: Flow<ByteArray> get() = receiving.messages

    override suspend fun send(message: ByteArray) = sending.send(message)

    override fun trySend(message: ByteArray): Boolean = sending.trySend(message)

    override suspend fun receive(): ByteArray = receiving.receive()

    override fun tryReceive(): ByteArray? = receiving.tryReceive()
}

internal class BusRole(private val shell: SocketShell) :
    BusSocket,
    MessageSocket by shell {
    private val spreading = Spreading(shell)
    private val receiving = Receiving(shell)
    override val messages: Flow<ByteArray> get() = receiving.messages

    override fun send(message: ByteArray) = spreading.send(message)

    override suspend fun receive(): ByteArray = receiving.receive()

    override fun tryReceive(): ByteArray? = receiving.tryReceive()
}

internal class SubRole(private val shell: SocketShell) :
    SubSocket,
    ReceivingSocket by Receiving(shell) {
    override fun subscribe(topic: ByteArray) {
        // A copy: topics are kept, and are short.
        shell.now(SocketEvent::SubscribeCalled, topic.copyOf())
    }

    override fun unsubscribe(topic: ByteArray) {
        shell.now(SocketEvent::UnsubscribeCalled, topic)
    }
}

internal class ReqRole(private val shell: SocketShell) :
    ReqSocket,
    MessageSocket by shell {
    override suspend fun request(message: ByteArray): ByteArray {
        val limit = shell.policy.requestTimeout
        return shell.delivered(limit, "no reply") { SocketEvent.SendCalled(it, Body(message)) }.bytes()
    }
}

internal class RepRole(shell: SocketShell) :
    RepSocket,
    AnsweringSocket by Answering(shell)

internal class RespondentRole(shell: SocketShell) :
    RespondentSocket,
    AnsweringSocket by Answering(shell)

internal class SurveyorRole(private val shell: SocketShell) :
    SurveyorSocket,
    MessageSocket by shell {
    override fun survey(message: ByteArray): Flow<ByteArray> = flow {
        val survey = shell.desk.newCall()
        shell.check(shell.desk.callNow(survey) { SocketEvent.SendCalled(it, Body(message)) })
        try {
            while (true) {
                val outcome = shell.desk.call { SocketEvent.ReceiveCalled(it, survey) }
                if (outcome is Outcome.Failed && outcome.failure == Failure.SurveyOver) break
                emit(shell.delivery(outcome).bytes())
            }
        } finally {
            shell.desk.forget(survey)
        }
    }
}

private class Sending(private val shell: SocketShell) :
    SendingSocket,
    MessageSocket by shell {
    override suspend fun send(message: ByteArray) {
        val body = Body(message)
        if (!shell.desk.sendNow(body)) sendLater(body)
    }

    override fun trySend(message: ByteArray): Boolean {
        val body = Body(message)
        if (shell.desk.sendNow(body)) return true
        val outcome = shell.desk.callNow { SocketEvent.SendCalled(it, body) } ?: return false
        shell.check(outcome)
        return true
    }

    private suspend fun sendLater(body: Body) {
        val limit = shell.policy.sendTimeout
        shell.check(shell.within(limit, "no peer took a message") { SocketEvent.SendCalled(it, body) })
    }
}

private class Spreading(private val shell: SocketShell) :
    SpreadingSocket,
    MessageSocket by shell {
    override fun send(message: ByteArray) = shell.now(SocketEvent::SendCalled, message)
}

private class Receiving(private val shell: SocketShell) :
    ReceivingSocket,
    MessageSocket by shell {
    override suspend fun receive(): ByteArray = shell.desk.receiveNow()?.bytes() ?: receiveLater()

    private suspend fun receiveLater(): ByteArray = shell.receive().bytes()

    override fun tryReceive(): ByteArray? = shell.tryReceive()?.bytes()

    override val messages: Flow<ByteArray> get() = shell.all { it.bytes() }
}

private class Answering(private val shell: SocketShell) :
    AnsweringSocket,
    MessageSocket by shell {
    override suspend fun receive(): Request = request(shell.desk.receiveNow() ?: shell.receive())

    override fun tryReceive(): Request? = shell.tryReceive()?.let(::request)

    override val requests: Flow<Request> get() = shell.all(::request)

    /** Of a pipe that is gone no request is delivered. */
    private fun request(delivery: Outcome.Delivered): Request =
        Asked(shell, delivery.message.request, delivery.bytes(), checkNotNull(delivery.pipe))
}

private class Asked(
    private val shell: SocketShell,
    private val number: Long,
    override val body: ByteArray,
    override val pipe: SocketPipe,
) : Request {
    override suspend fun reply(message: ByteArray) {
        val limit = shell.policy.sendTimeout
        val outcome = shell.within(limit, "the asker did not take its answer") {
            SocketEvent.ReplyCalled(it, number, Body(message))
        }
        shell.check(outcome)
    }

    override fun close() = shell.desk.tell(SocketEvent.RequestForgotten(number))

    override fun toString(): String = "request of ${body.size} bytes from $pipe"
}

/** Headers are cut off here, by a copy; without one the array is the message. */
private fun Outcome.Delivered.bytes(): ByteArray =
    message.body.let { if (it.from == 0) it.bytes else it.toByteArray() }

private fun SocketShell.now(event: (Long, Body) -> SocketEvent, message: ByteArray) =
    check(desk.callNow { event(it, Body(message)) })

private suspend fun SocketShell.receive(): Outcome.Delivered =
    delivered(policy.receiveTimeout, "no message came") { SocketEvent.ReceiveCalled(it) }

private fun SocketShell.tryReceive(): Outcome.Delivered? =
    desk.receiveNow() ?: desk.callNow { SocketEvent.ReceiveCalled(it) }?.let(::delivery)

internal fun <T> SocketShell.all(convert: (Outcome.Delivered) -> T): Flow<T> = flow {
    while (true) {
        val outcome = desk.receiveNow() ?: desk.call { SocketEvent.ReceiveCalled(it) }
        if (outcome is Outcome.Failed && outcome.failure == Failure.Closed) break
        emit(convert(delivery(outcome)))
    }
}

/** The outcome of a call that may wait so long. */
internal suspend fun SocketShell.within(limit: Duration, what: String, event: (Long) -> SocketEvent): Outcome {
    if (limit.isInfinite()) return desk.call(event)
    var outcome: Outcome? = null
    // It leaves by the variable: what was done in the moment the time was up is done.
    withTimeoutOrNull(limit) { outcome = desk.call(event) }
    return outcome ?: throw SocketException.TimedOut(name, limit.inWholeMilliseconds, what)
}

internal suspend fun SocketShell.delivered(
    limit: Duration,
    what: String,
    event: (Long) -> SocketEvent,
): Outcome.Delivered = delivery(within(limit, what, event))

private fun SocketShell.delivery(outcome: Outcome): Outcome.Delivered {
    check(outcome)
    return outcome as Outcome.Delivered
}

/** The outcome, unless it is a failure. */
internal fun SocketShell.check(outcome: Outcome?) {
    val failure = (outcome as? Outcome.Failed)?.failure ?: return
    throw when (failure) {
        Failure.Closed -> SocketException.Closed(name)

        Failure.NoSuchRequest -> SocketException.NoSuchRequest(name)

        Failure.NotSubscribed -> SocketException.NotSubscribed(name)

        is Failure.PeerLost -> SocketException.PeerLost(name, failure.pipe)

        is Failure.ReplyTooLarge -> {
            val bytes = failure.announced.coerceAtMost(Long.MAX_VALUE.toULong()).toLong()
            SocketException.ReplyTooLarge(name, bytes, failure.limit)
        }

        Failure.NotInThisRole, Failure.SurveyOver -> IllegalStateException("socket \"$name\": $failure")
    }
}

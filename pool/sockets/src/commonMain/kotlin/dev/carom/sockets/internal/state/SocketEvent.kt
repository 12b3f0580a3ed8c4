package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation

/** What happened. Pipes and calls are numbered by the shell; an event about one that is gone is ignored. */
internal sealed interface SocketEvent {
    /** The handshake is done. Priorities: 1 is served first, 16 last. A new pipe has room for one frame. */
    data class PipeAttached(
        val pipe: Int,
        val sendPriority: Int = Priorities.DEFAULT,
        val receivePriority: Int = Priorities.DEFAULT,
    ) : SocketEvent

    /** The pipe is closed; everything that was read from it has been reported. [cause]: what its peer did wrong. */
    data class PipeDetached(val pipe: Int, val cause: Violation? = null) : SocketEvent

    /** The pipe is to be closed when it is not [SocketState.isBusy] any more: give it nothing new. */
    data class PipeRetired(val pipe: Int) : SocketEvent

    /** The pipe has room for one more frame. */
    data class Flushed(val pipe: Int) : SocketEvent

    data class FrameReceived(val pipe: Int, val frame: Body) : SocketEvent

    /**
     * REQ: the call ends with the reply. SURVEYOR: [call] is the survey's name from then on. Raw: [body] begins with the
     * header, but for its first word, which is [hop] if that is not 0: the pipe that the message came from.
     */
    data class SendCalled(val call: Long, val body: Body, val hop: Int = 0) : SocketEvent

    /** SURVEYOR: of which [survey]. */
    data class ReceiveCalled(val call: Long, val survey: Long = 0) : SocketEvent

    /** REP and RESPONDENT: answer [request]. */
    data class ReplyCalled(val call: Long, val request: Long, val body: Body) : SocketEvent

    /** REP and RESPONDENT: nobody will answer [request]. */
    data class RequestForgotten(val request: Long) : SocketEvent

    /** The caller went away. If the call has not been answered yet it never will be, and has done nothing. */
    data class CallCancelled(val call: Long) : SocketEvent

    /** [message] was delivered to a call that had just been cancelled: it goes back to the front. */
    data class MessageReturned(val message: Message) : SocketEvent

    data class SubscribeCalled(val call: Long, val topic: Body) : SocketEvent

    data class UnsubscribeCalled(val call: Long, val topic: Body) : SocketEvent

    /** Nothing more is accepted or delivered; what was accepted is still transmitted. */
    data object CloseCalled : SocketEvent

    /** Time passed; at the latest at [SocketState.nextDeadline]. */
    data object Tick : SocketEvent
}

/**
 * What came from [pipe]. REP and RESPONDENT: to be answered as [request]. SURVEYOR: an answer to [request]. Raw: [body]
 * begins with the header; if the way back leads through here, [pipe] is its first word.
 */
internal data class Message(val pipe: Int, val body: Body, val request: Long = 0)

/** What must be done, in this order. */
internal sealed interface SocketEffect {
    /** Write it; the pipe has no room until [SocketEvent.Flushed]. */
    data class Transmit(val pipe: Int, val frame: Frame) : SocketEffect

    /** Stop reading. What was read before this took effect is still accepted. */
    data class Pause(val pipe: Int) : SocketEffect

    data class Resume(val pipe: Int) : SocketEffect

    /** Close a pipe that was never taken in; its dialer may try again. */
    data class Reject(val pipe: Int, val reason: Rejection) : SocketEffect

    /** Close the pipe. */
    data class Cut(val pipe: Int, val violation: Violation) : SocketEffect

    /** The message is ours now: transmitted, or as good as. */
    data class Done(val call: Long) : SocketEffect

    data class Deliver(val call: Long, val message: Message) : SocketEffect

    /** Nothing was sent; the caller keeps the message. */
    data class Fail(val call: Long, val failure: Failure) : SocketEffect

    /** [count] messages from [pipe], or to it if [outgoing], end here. */
    data class Drop(val pipe: Int, val reason: DropReason, val count: Int = 1, val outgoing: Boolean = false) :
        SocketEffect
}

internal enum class Rejection(val words: String) {
    AlreadyPaired("there is a peer already, and a pair has only one"),
    Closed("the socket is closed"),
}

internal typealias DropReason = dev.carom.sockets.DropReason

internal sealed interface Failure {
    data object Closed : Failure

    /** The role does not do this. */
    data object NotInThisRole : Failure

    /** No such request, or it was answered before. */
    data object NoSuchRequest : Failure

    data object NotSubscribed : Failure

    /** The survey's deadline has passed, and all its answers are taken. */
    data object SurveyOver : Failure

    /** The pipe that carried the request is gone, and it is not to be sent twice. */
    data class PeerLost(val pipe: Int) : Failure

    /** The reply is larger than what we listen to; asking again would only get it again. */
    data class ReplyTooLarge(val announced: ULong, val limit: Int) : Failure
}

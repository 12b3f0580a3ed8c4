package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.state.SocketEvent.FrameReceived
import dev.carom.sockets.internal.state.SocketEvent.PipeAttached
import dev.carom.sockets.internal.state.SocketEvent.ReceiveCalled
import dev.carom.sockets.internal.state.SocketEvent.SendCalled
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import kotlin.time.Duration

/** A state and the test's clock. */
internal class Steps(val state: SocketState) {
    var now = Duration.ZERO

    /** The effects of the last of [events]. */
    fun on(vararg events: SocketEvent): List<SocketEffect> = events.map { state.on(it, now) }.last()

    fun attach(vararg pipes: Int): List<SocketEffect> = pipes.flatMap { on(PipeAttached(it)) }

    fun send(call: Long, text: String): List<SocketEffect> = on(SendCalled(call, text(text)))

    fun receive(call: Long): List<SocketEffect> = on(ReceiveCalled(call))

    fun frame(pipe: Int, text: String, vararg words: Int): List<SocketEffect> =
        on(FrameReceived(pipe, payload(Frame(words, text(text)))))

    /** What the effects transmit: to which pipe, which text. */
    fun sentBy(effects: List<SocketEffect>): List<Pair<Int, String>> =
        effects.filterIsInstance<SocketEffect.Transmit>().map { it.pipe to it.frame.body.text() }

    fun deliveredBy(effects: List<SocketEffect>): List<String> =
        effects.filterIsInstance<SocketEffect.Deliver>().map { it.message.body.text() }
}

internal fun text(text: String) = Body(text.encodeToByteArray())

internal fun Body.text() = toByteArray().decodeToString()

/** A frame as the peer's parser hands it over. */
internal fun payload(frame: Frame): Body {
    val head = ByteArray(frame.header.size * 4) { (frame.header[it / 4] ushr (24 - 8 * (it % 4))).toByte() }
    return Body(head + frame.body.toByteArray())
}

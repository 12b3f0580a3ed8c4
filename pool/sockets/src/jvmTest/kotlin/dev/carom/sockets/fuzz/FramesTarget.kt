package dev.carom.sockets.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.FrameParser
import dev.carom.sockets.internal.wire.Layout

/**
 * Three bytes choose the framing, the limit and how the stream is chopped; the rest is the stream. What is read is what
 * was written, however it is chopped, and an announcement alone costs nothing: 64 KiB is far below the limits.
 */
internal class FramesTarget : FuzzTarget(fixed = 262_144, perByte = 64) {
    override fun prepare(): (ByteArray) -> Unit = { if (it.size >= HEAD) read(it) }

    private fun read(input: ByteArray) {
        val framing = Layout.entries[input[0].toInt() and 1]
        val limit = LIMITS[(input[1].toInt() and 0xFF) % LIMITS.size]
        val step = (input[2].toInt() and 0xFF) + 1
        val whole = FrameParser(framing, limit)
        val frames = ArrayList<Body>()
        whole.feed(input, HEAD) { frames.add(it) }
        val chopped = FrameParser(framing, limit)
        var next = 0
        for (at in HEAD until input.size step step) {
            chopped.feed(input, at, minOf(at + step, input.size)) {
                check(it == frames[next++]) { "frame ${next - 1} differs when chopped by $step" }
                true
            }
            check(chopped.allocated <= maxOf(1_024, 2 * input.size)) { "${chopped.allocated} bytes held" }
        }
        check(next == frames.size && (whole.violation == null) == (chopped.violation == null)) {
            "${frames.size} frames and ${whole.violation} at once; $next and ${chopped.violation} by $step"
        }
        writtenAgain(framing, frames, input)
    }

    private fun writtenAgain(framing: Layout, frames: List<Body>, input: ByteArray) {
        var at = HEAD
        for (body in frames) {
            for (byte in framing.prefix(Frame(body))) check(byte == input[at++]) { "byte ${at - 1} differs" }
            for (i in 0 until body.size) check(body[i] == input[at++]) { "byte ${at - 1} differs" }
        }
    }

    private companion object {
        const val HEAD = 3
        val LIMITS = intArrayOf(1 shl 20, 0, 1, 100, Layout.MOST)
    }
}

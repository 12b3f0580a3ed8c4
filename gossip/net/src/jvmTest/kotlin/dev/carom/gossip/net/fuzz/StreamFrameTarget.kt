package dev.carom.gossip.net.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.gossip.net.internal.readFrame
import io.ktor.utils.io.ByteReadChannel
import kotlinx.coroutines.runBlocking
import java.io.IOException

/** The first byte chooses the largest frame allowed; the rest is a stream: a frame of it, or an [IOException]. */
internal class StreamFrameTarget : FuzzTarget(fixed = 262_144, perByte = 64) {
    override fun prepare(): (ByteArray) -> Unit = { if (it.isNotEmpty()) read(it) }

    private fun read(input: ByteArray) {
        val most = LIMITS[(input[0].toInt() and 0xFF) % LIMITS.size]
        val frame = try {
            runBlocking { ByteReadChannel(input, 1, input.size - 1).readFrame(most) }
        } catch (_: IOException) {
            return
        }
        check(frame.size <= most) { "${frame.size} bytes, at most $most allowed" }
        check(frame.contentEquals(input.copyOfRange(HEAD, HEAD + frame.size))) { "not what was sent" }
    }

    private companion object {
        const val HEAD = 5
        val LIMITS = intArrayOf(1 shl 20, 0, 1, 5_000, Int.MAX_VALUE)
    }
}

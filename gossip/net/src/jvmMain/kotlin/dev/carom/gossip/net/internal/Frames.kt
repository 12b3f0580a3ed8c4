package dev.carom.gossip.net.internal

import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.readInt
import io.ktor.utils.io.writeFully
import io.ktor.utils.io.writeInt
import java.io.IOException

/** A length of 4 bytes, high first, and so many bytes. */
internal suspend fun ByteWriteChannel.writeFrame(bytes: ByteArray) {
    writeInt(bytes.size)
    writeFully(bytes)
    flush()
}

/**
 * Reads a frame of [most] bytes at most. Room is made for what has arrived, not for what was promised.
 *
 * @throws IOException if it is longer, or cut off.
 */
internal suspend fun ByteReadChannel.readFrame(most: Int): ByteArray {
    val size = readInt()
    if (size < 0 || size > most) throw IOException("a frame of $size bytes, at most $most allowed")
    var bytes = ByteArray(minOf(size, FIRST))
    var read = 0
    while (read < size) {
        if (read == bytes.size) bytes = bytes.copyOf(minOf(size, bytes.size * 2))
        val count = readAvailable(bytes, read, bytes.size - read)
        if (count < 0) throw IOException("cut off after $read of $size bytes")
        read += count
    }
    return bytes
}

/** Reads past whatever comes, until the peer closes its side. */
internal suspend fun ByteReadChannel.awaitEnd() {
    val rest = ByteArray(64)
    do {
        val count = readAvailable(rest, 0, rest.size)
    } while (count >= 0)
}

private const val FIRST = 4_096

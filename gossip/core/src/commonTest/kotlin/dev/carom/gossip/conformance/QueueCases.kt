package dev.carom.gossip.conformance

import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.internal.DisseminationQueue
import io.kotest.matchers.shouldBe

private fun bytes(size: Int, fill: Int = size) = ByteArray(size) { fill.toByte() }

/** What one fill of [room] bytes writes: the first byte of each run of equal bytes. */
private fun DisseminationQueue<String>.fill(room: Int = 1_000, most: Int = 65_535): List<Int> {
    val writer = PacketWriter(room)
    fill(writer, most)
    val written = writer.toByteArray().map { it.toInt() }
    return written.filterIndexed { i, byte -> i == 0 || written[i - 1] != byte }
}

internal fun Cases.ofTheQueue() {
    case(1, name = "an item queued again takes the place of the old one and is sent max times, then never again") {
        val queue = DisseminationQueue<String>()
        queue.size shouldBe 0
        queue.put("AA", bytes(2, fill = 1), 5)
        queue.put("AA", bytes(2, fill = 2), 5)
        queue.size shouldBe 1
        repeat(5) { queue.fill() shouldBe listOf(2) }
        queue.size shouldBe 0
        queue.fill() shouldBe emptyList()
    }

    case(2, name = "an item that does not fit is left alone") {
        val queue = DisseminationQueue<String>()
        queue.put("long", bytes(6), 1)
        queue.fill(room = 5) shouldBe emptyList()
        queue.size shouldBe 1
    }

    case(3, name = "of items sent equally often the longest goes first") {
        val queue = DisseminationQueue<String>()
        for (size in listOf(4, 7, 5)) queue.put("$size", bytes(size), 1)
        queue.fill() shouldBe listOf(7, 5, 4)
    }

    case(4, name = "what will be sent most often goes first") {
        val queue = DisseminationQueue<String>()
        for (times in 1..3) queue.put("$times", bytes(2, fill = times), times)
        queue.fill() shouldBe listOf(3, 2, 1)
        queue.fill() shouldBe listOf(3, 2)
        queue.fill() shouldBe listOf(3)
        queue.fill() shouldBe emptyList()
    }

    case(5, name = "a fill writes no more items than it is asked for") {
        val queue = DisseminationQueue<String>()
        queue.put("a", bytes(2, fill = 1), 9)
        queue.put("a", bytes(2, fill = 2), 9)
        queue.put("b", bytes(2, fill = 3), 9)
        queue.fill(most = 0) shouldBe emptyList()
        queue.fill(most = 2).toSet() shouldBe setOf(2, 3)
    }

    case(6, name = "a prefixed fill writes each length before its item, longest first, to the exact end") {
        val queue = DisseminationQueue<String>()
        queue.put("short", "hi".encodeToByteArray(), 1)
        queue.put("long", "hello".encodeToByteArray(), 1)
        val writer = PacketWriter(2 + 5 + 2 + 2)
        queue.fill(writer, 10, prefixed = true) shouldBe 2
        val reader = PacketReader(writer.toByteArray())
        reader.bytes(reader.short()).decodeToString() shouldBe "hello"
        reader.bytes(reader.short()).decodeToString() shouldBe "hi"
        reader.remaining shouldBe 0
    }
}

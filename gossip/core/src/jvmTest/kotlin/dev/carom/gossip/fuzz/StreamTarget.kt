package dev.carom.gossip.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.gossip.NativeCodec
import dev.carom.gossip.NodeIdCodec
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.SwimEvent

/**
 * The first byte says whether the rest is what a peer asks over a stream, or what it answers to a comparison of
 * memberships.
 */
internal class StreamTarget : FuzzTarget(fixed = 1_048_576, perByte = 2_048) {
    override fun prepare(): (ByteArray) -> Unit {
        val bench = Bench(NativeCodec(NodeIdCodec()))
        val open = opened(bench)
        return { input -> if (input.isNotEmpty()) take(bench, open, input) }
    }

    private fun take(bench: Bench, open: Long, input: ByteArray) {
        val bytes = input.copyOfRange(1, input.size)
        if (input[0].toInt() and 1 == 0) {
            bench.take(SwimEvent.StreamRequested(1, bytes))
        } else {
            bench.take(SwimEvent.StreamAnswered(open, bytes))
        }
    }

    /** Time goes on until the member compares its knowledge with somebody's. */
    private fun opened(bench: Bench): Long {
        while (true) {
            val effects = bench.swim.on(SwimEvent.Tick(), bench.swim.nextDeadlineNanos)
            effects.filterIsInstance<SwimEffect.OpenStream<*>>().firstOrNull()?.let { return it.stream }
        }
    }
}

package dev.carom.gossip.internal

/** Lifeguard's score of this node's own health: 0 is healthy; a slow node grows slower to accuse others. */
internal class LocalHealth {
    var score = 0
        private set

    fun adjust(delta: Int, max: Int) {
        score = (score + delta).coerceIn(0, max)
    }

    fun scale(nanos: Long): Long = nanos * (score + 1)
}

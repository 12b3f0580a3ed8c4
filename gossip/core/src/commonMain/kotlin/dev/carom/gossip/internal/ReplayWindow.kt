package dev.carom.gossip.internal

/**
 * Which numbered messages were seen, per sender's epoch: those far behind the newest count as seen (as IPsec does, RFC
 * 4303, 3.4.3). Only authentic messages get here, so only members can fill it; beyond [MOST] epochs the one silent for
 * longest is forgotten.
 */
internal class ReplayWindow {
    private class Epoch {
        var newest = -1L
        val seen = LongArray(WIDTH / Long.SIZE_BITS)
    }

    private val epochs = LinkedHashMap<Long, Epoch>()

    /** Notes message [number] (0 or more) of [epoch]; false: it was noted before, or lies [WIDTH] or more behind. */
    fun accept(epoch: Long, number: Long): Boolean {
        // Back to the end: the first one is the one silent for longest.
        val known = epochs.remove(epoch) ?: Epoch()
        epochs[epoch] = known
        if (epochs.size > MOST) epochs.remove(epochs.keys.first())
        return note(known, number)
    }

    private fun note(epoch: Epoch, number: Long): Boolean {
        if (number > epoch.newest) {
            val passed = minOf(number - epoch.newest, WIDTH.toLong())
            for (step in 0 until passed) clear(epoch, number - step)
            epoch.newest = number
        } else if (epoch.newest - number >= WIDTH || isSet(epoch, number)) {
            return false
        }
        val place = (number % WIDTH).toInt()
        epoch.seen[place ushr SHIFT] = epoch.seen[place ushr SHIFT] or (1L shl place)
        return true
    }

    private fun clear(epoch: Epoch, number: Long) {
        val place = (number % WIDTH).toInt()
        epoch.seen[place ushr SHIFT] = epoch.seen[place ushr SHIFT] and (1L shl place).inv()
    }

    private fun isSet(epoch: Epoch, number: Long): Boolean {
        val place = (number % WIDTH).toInt()
        return epoch.seen[place ushr SHIFT] and (1L shl place) != 0L
    }

    companion object {
        /** How late a packet may be overtaken, in messages of its sender. */
        const val WIDTH = 1_024

        const val MOST = 16_384
        private const val SHIFT = 6
    }
}

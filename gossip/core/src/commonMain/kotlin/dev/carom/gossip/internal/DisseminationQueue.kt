package dev.carom.gossip.internal

import dev.carom.gossip.PacketWriter

/**
 * What is passed on, each item so many times. What was sent least goes first, and of these the longest: short ones
 * fill the rest of a packet.
 */
internal class DisseminationQueue<K : Any> {
    private class Item<K>(val key: K, val bytes: ByteArray, var left: Int, val since: Long)

    /** Items by how often they will still be sent. */
    private val tiers = ArrayList<ArrayList<Item<K>>>()
    private val byKey = HashMap<K, Item<K>>()

    val size get() = byKey.size

    fun keys(): Set<K> = byKey.keys

    fun bytesOf(key: K): ByteArray? = byKey[key]?.bytes

    /** Queues [bytes] for [transmissions] sendings, in place of what has the same key. */
    fun put(key: K, bytes: ByteArray, transmissions: Int, now: Long = 0) {
        drop(key)
        val item = Item(key, bytes, transmissions, now)
        byKey[key] = item
        tier(item.left) += item
    }

    fun dropIf(test: (K) -> Boolean) {
        byKey.keys.filter(test).forEach(::drop)
    }

    /** Drops what has waited since before [instant]; says how many. */
    fun dropOlderThan(instant: Long): Int {
        val old = byKey.values.filter { it.since < instant }
        old.forEach { drop(it.key) }
        return old.size
    }

    /** Drops the item that was sent most. */
    fun dropMostSent() {
        tiers.firstNotNullOfOrNull { it.firstOrNull() }?.let { drop(it.key) }
    }

    /** Everything in the queue is sent [more] (or, below 0, fewer) times. */
    fun rescale(more: Int) {
        val items = byKey.values.toList()
        tiers.forEach { it.clear() }
        for (item in items) {
            item.left += more
            if (item.left > 0) tier(item.left) += item else byKey.remove(item.key)
        }
    }

    /** Writes what fits, at most [most] items, each behind its length if [prefixed]; says how many. */
    fun fill(writer: PacketWriter, most: Int, prefixed: Boolean = false, except: K? = null): Int {
        if (byKey.isEmpty()) return 0
        val prefix = if (prefixed) 2 else 0
        val sent = ArrayList<Item<K>>()
        for (left in tiers.indices.reversed()) {
            if (writer.remaining < 1 || sent.size >= most) break
            val tier = tiers[left]
            if (tier.isEmpty()) continue
            tier.sortByDescending { it.bytes.size }
            // The shortest is last: if it does not fit, none does.
            if (tier.last().bytes.size + prefix > writer.remaining) continue
            take(tier, writer, most, prefix, except, sent)
        }
        for (item in sent) {
            item.left--
            if (item.left > 0) tier(item.left) += item else byKey.remove(item.key)
        }
        return sent.size
    }

    /** The item was sent in another way. */
    fun spend(key: K) {
        val item = byKey[key] ?: return
        drop(key)
        if (--item.left > 0) {
            byKey[key] = item
            tier(item.left) += item
        }
    }

    private fun take(
        tier: ArrayList<Item<K>>,
        writer: PacketWriter,
        most: Int,
        prefix: Int,
        except: K?,
        sent: ArrayList<Item<K>>,
    ) {
        var kept = 0
        for (i in tier.indices) {
            val item = tier[i]
            val fits = item.bytes.size + prefix <= writer.remaining
            if (fits && sent.size < most && item.key != except) {
                if (prefix > 0) writer.short(item.bytes.size)
                writer.bytes(item.bytes)
                sent += item
            } else {
                tier[kept++] = item
            }
        }
        while (tier.size > kept) tier.removeAt(tier.lastIndex)
    }

    private fun drop(key: K) {
        val item = byKey.remove(key) ?: return
        tiers[item.left].remove(item)
    }

    private fun tier(left: Int): ArrayList<Item<K>> {
        while (tiers.size <= left) tiers += ArrayList<Item<K>>()
        return tiers[left]
    }
}

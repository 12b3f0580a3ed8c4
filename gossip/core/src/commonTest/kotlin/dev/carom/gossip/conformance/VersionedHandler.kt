package dev.carom.gossip.conformance

import dev.carom.gossip.BroadcastHandler
import dev.carom.gossip.BroadcastKey
import dev.carom.gossip.BroadcastVerdict
import dev.carom.gossip.TestId

/** Items like `k7`: a key and a version of one digit. Only greater versions are news. */
class VersionedHandler(private val excluded: Set<Int> = emptySet()) : BroadcastHandler<TestId> {
    val versions = HashMap<Char, Int>()
    val senders = ArrayList<TestId?>()

    private data class Key(val key: Char, val version: Int) : BroadcastKey {
        override fun invalidates(other: BroadcastKey) = other is Key && other.key == key && other.version < version
    }

    override fun receive(item: ByteArray, from: TestId?): BroadcastVerdict {
        val text = item.decodeToString()
        if (text.length < 2 || !text[1].isDigit()) return BroadcastVerdict.rejected("not a key and a version")
        senders += from
        val version = text[1].digitToInt()
        if (version <= (versions[text[0]] ?: -1)) return BroadcastVerdict.known()
        versions[text[0]] = version
        return BroadcastVerdict.fresh(Key(text[0], version))
    }

    override fun shouldSend(to: TestId) = to.addr !in excluded
}

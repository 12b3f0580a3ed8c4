package dev.carom.gossip

import kotlin.jvm.JvmStatic

/** What a broadcast is about, so that a newer one takes the place of an older one in the queue. */
public interface BroadcastKey {
    /** Whether the item with this key makes the queued item with [other] superfluous. */
    public fun invalidates(other: BroadcastKey): Boolean
}

/** What a [BroadcastHandler] thinks of an item. */
public class BroadcastVerdict private constructor(internal val key: BroadcastKey?, internal val rejection: String?) {
    override fun toString(): String = when {
        key != null -> "new: $key"
        rejection != null -> "rejected: $rejection"
        else -> "known"
    }

    public companion object {
        private val KNOWN = BroadcastVerdict(null, null)

        /** News: pass it on. */
        @JvmStatic
        public fun fresh(key: BroadcastKey): BroadcastVerdict = BroadcastVerdict(key, null)

        /** Nothing new: do not pass it on. */
        @JvmStatic
        public fun known(): BroadcastVerdict = KNOWN

        /** Not understood; [reason] is for people. The rest of the packet's broadcasts are not looked at. */
        @JvmStatic
        public fun rejected(reason: String): BroadcastVerdict = BroadcastVerdict(null, reason)
    }
}

/**
 * The application's side of broadcasts: takes items, and says which of them are news. Called on the thread of
 * [Swim.on]; it must not call back. An exception counts as a rejection.
 */
public interface BroadcastHandler<I> {
    /**
     * An item arrived: from the network if [from] is set (the last hop, not the origin), else from
     * [SwimEvent.BroadcastAdded]. It must remember what it has seen: an item that is always news goes around for ever.
     */
    public fun receive(item: ByteArray, from: I?): BroadcastVerdict

    /** Whether packets to [to] may carry broadcasts. */
    public fun shouldSend(to: I): Boolean = true
}

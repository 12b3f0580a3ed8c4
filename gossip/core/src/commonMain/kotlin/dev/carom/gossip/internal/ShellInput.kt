package dev.carom.gossip.internal

import dev.carom.gossip.GossipChannel
import dev.carom.gossip.GossipCounters
import dev.carom.gossip.SwimEvent
import kotlinx.coroutines.CompletableDeferred

/** What the member's one loop takes in, one after the other. */
internal sealed interface ShellInput<I> {
    /** The user wants [event]; [done] hears of the refusal. */
    class Asked<I>(val event: SwimEvent<I>, val done: CompletableDeferred<Unit>?) : ShellInput<I>

    /** A stream's sealed request. */
    class Request<I>(val bytes: ByteArray, val answer: CompletableDeferred<ByteArray?>) : ShellInput<I>

    /** A stream's sealed answer; null: none came. */
    class Answer<I>(val stream: Long, val bytes: ByteArray?) : ShellInput<I>

    class SendFailed<I>(val to: I, val detail: String) : ShellInput<I>

    class ReceiveFailed<I>(val channel: GossipChannel, val detail: String, val retryMillis: Long) : ShellInput<I>

    class ReceiveWorks<I>(val channel: GossipChannel) : ShellInput<I>

    class SeedsFailed<I>(val detail: String, val retryMillis: Long) : ShellInput<I>

    class Count<I>(val answer: CompletableDeferred<GossipCounters>) : ShellInput<I>

    class Leave<I>(val answer: CompletableDeferred<Boolean>) : ShellInput<I>
}

package dev.carom.gossip.internal

import dev.carom.gossip.GossipNotice
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.flow.transformWhile
import kotlin.concurrent.Volatile

/** Tells notices to whoever collects; the slow lose the oldest and learn how many. Told by one coroutine at a time. */
internal class NoticeBoard<I>(buffer: Int) {
    private class Numbered<I>(val number: Long, val notice: GossipNotice<I>?)

    private val told =
        MutableSharedFlow<Numbered<I>>(extraBufferCapacity = buffer, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    @Volatile
    private var next = 0L

    @Volatile
    private var closed = false

    val notices: Flow<GossipNotice<I>> = flow {
        var expected = 0L
        val numbered = told
            .onSubscription {
                expected = next
                if (closed) emit(Numbered(next, null))
            }.transformWhile { numbered ->
                if (numbered.number > expected) emit(GossipNotice.Missed(numbered.number - expected))
                // One may have been told between the subscription and the look at the number.
                expected = maxOf(expected, numbered.number + 1)
                numbered.notice?.let { emit(it) }
                numbered.notice != null
            }
        numbered.collect { emit(it) }
    }

    fun tell(notice: GossipNotice<I>) {
        val number = next
        next = number + 1
        told.tryEmit(Numbered(number, notice))
    }

    /** Ends every collection, present and future. */
    fun close() {
        closed = true
        told.tryEmit(Numbered(next, null))
    }
}

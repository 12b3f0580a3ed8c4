package dev.carom.pool.internal

import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.flow.transformWhile
import kotlin.concurrent.Volatile

/** Tells notices to whoever collects; the slow lose the oldest and learn how many. Told by one thread at a time. */
internal class NoticeBoard<N : Any>(buffer: Int, missed: (Long) -> N) {
    private class Numbered<N>(val number: Long, val notice: N?)

    private val told =
        MutableSharedFlow<Numbered<N>>(extraBufferCapacity = buffer, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    @Volatile
    private var next = 0L

    @Volatile
    private var closed = false

    val notices: Flow<N> = flow {
        var expected = 0L
        val numbered = told
            .onSubscription {
                expected = next
                if (closed) emit(Numbered(next, null))
            }.transformWhile { numbered ->
                if (numbered.number > expected) emit(missed(numbered.number - expected))
                expected = numbered.number + 1
                numbered.notice?.let { emit(it) }
                numbered.notice != null
            }
        numbered.collect { emit(it) }
    }

    fun tell(notice: N) {
        told.tryEmit(Numbered(next, notice))
        next++
    }

    /** Ends every collection, present and future. */
    fun close() {
        closed = true
        told.tryEmit(Numbered(next, null))
    }
}

package dev.carom.pool.internal

import dev.carom.pool.PoolNotice
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.flow.transformWhile
import kotlin.concurrent.Volatile

/** Tells notices to whoever collects; the slow lose the oldest and learn how many. Told by one thread at a time. */
internal class NoticeBoard(buffer: Int) {
    private class Numbered(val number: Long, val notice: PoolNotice?)

    private val told =
        MutableSharedFlow<Numbered>(extraBufferCapacity = buffer, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    @Volatile
    private var next = 0L

    @Volatile
    private var closed = false

    val notices: Flow<PoolNotice> = flow {
        var expected = 0L
        val numbered = told
            .onSubscription {
                expected = next
                if (closed) emit(Numbered(next, null))
            }.transformWhile { numbered ->
                if (numbered.number > expected) emit(PoolNotice.Missed(numbered.number - expected))
                expected = numbered.number + 1
                numbered.notice?.let { emit(it) }
                numbered.notice != null
            }
        numbered.collect { emit(it) }
    }

    fun tell(notice: PoolNotice) {
        told.tryEmit(Numbered(next, notice))
        next++
    }

    /** Ends every collection, present and future. */
    fun close() {
        closed = true
        told.tryEmit(Numbered(next, null))
    }
}

package dev.carom.sockets.internal.shell

import dev.carom.sockets.SocketNotice
import kotlinx.coroutines.ExperimentalForInheritanceCoroutinesApi
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.flow.transformWhile
import kotlin.concurrent.Volatile

/**
 * Tells the world of notices and of the list of pipes, in the order in which they were put here. Putting happens under the
 * guard; telling does not, for a collector that is not dispatched runs then and there, and whoever tells while
 * another does leaves it to that one.
 */
internal class News(private val guard: Guard, private val buffer: Int) {
    private class Numbered(val number: Long, val notice: SocketNotice?)

    private val told =
        MutableSharedFlow<Numbered>(extraBufferCapacity = buffer, onBufferOverflow = BufferOverflow.DROP_OLDEST)
    private val current = MutableStateFlow<List<Pipe>>(emptyList())
    private val waiting = ArrayDeque<Numbered>()

    /** Changed under the guard. */
    @Volatile
    private var latest: List<Pipe> = emptyList()
    private var shown = latest
    private var telling = false
    private var changed = false

    @Volatile
    private var next = 0L

    @Volatile
    private var closed = false

    /** Told in order; its value is what was put last, whoever may still have to tell of it. */
    val pipes: StateFlow<List<Pipe>> = Latest()

    val notices: Flow<SocketNotice> = flow {
        var expected = 0L
        val numbered = told
            .onSubscription {
                expected = next
                if (closed) emit(Numbered(next, null))
            }.transformWhile { numbered ->
                // What was put before the collection began may be told after it.
                if (numbered.number < expected) return@transformWhile true
                if (numbered.number > expected) emit(SocketNotice.Missed(numbered.number - expected))
                expected = numbered.number + 1
                numbered.notice?.let { emit(it) }
                numbered.notice != null
            }
        numbered.collect { emit(it) }
    }

    /** Guarded. */
    fun put(notice: SocketNotice) = add(notice)

    /** Guarded. */
    fun put(pipes: Collection<Pipe>) {
        latest = pipes.toList()
        changed = true
    }

    /** Guarded. Ends every collection, present and future. */
    fun putEnd() {
        if (closed) return
        closed = true
        add(null)
    }

    /** Not guarded. */
    fun tell() {
        if (!changed) return
        guard.hold {
            if (telling) return
            telling = true
        }
        while (true) {
            var notice: Numbered? = null
            val pipes = guard.hold {
                notice = waiting.removeFirstOrNull()
                val news = notice != null || shown !== latest
                shown = latest
                if (!news) {
                    telling = false
                    changed = false
                    return
                }
                latest
            }
            current.value = pipes
            notice?.let(told::tryEmit)
        }
    }

    @OptIn(ExperimentalForInheritanceCoroutinesApi::class)
    private inner class Latest : StateFlow<List<Pipe>> by current {
        override val value: List<Pipe> get() = latest
        override val replayCache: List<List<Pipe>> get() = listOf(latest)
    }

    private fun add(notice: SocketNotice?) {
        if (waiting.size == buffer) waiting.removeFirst()
        waiting.addLast(Numbered(next++, notice))
        changed = true
    }
}

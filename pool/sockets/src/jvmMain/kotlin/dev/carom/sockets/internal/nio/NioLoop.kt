package dev.carom.sockets.internal.nio

import java.nio.ByteBuffer
import java.nio.channels.SelectionKey
import java.nio.channels.Selector
import java.util.PriorityQueue
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit.MILLISECONDS
import java.util.concurrent.TimeUnit.NANOSECONDS
import java.util.concurrent.atomic.AtomicBoolean
import java.util.function.Consumer

/** What a selected key wakes. Runs on the loop's thread and throws nothing. */
internal fun interface Ready {
    fun ready(key: SelectionKey)
}

/**
 * One selector and its thread. Everything that is registered runs on that thread; nothing in it may block. It sleeps until
 * something is ready, a task is given or a timer is due.
 */
internal class NioLoop(private val loops: NioLoops) : Runnable {
    private class Timer(val at: Long, val task: Runnable)

    val selector: Selector = Selector.open()

    /** Where every read goes, one after another: first out of the heap, then into an array for the handler. */
    val input: ByteBuffer = ByteBuffer.allocateDirect(READ_SIZE)
    val bytes = ByteArray(READ_SIZE)

    private val thread = Thread(this, "carom-sockets-nio").apply { isDaemon = true }
    private val tasks = ConcurrentLinkedQueue<Runnable>()
    private val waits = Waits.byProperty()

    /** False while it sleeps, or is about to, and nobody has woken it. */
    private val awake = AtomicBoolean(true)
    private val timers = PriorityQueue<Timer> { a, b -> (a.at - b.at).compareTo(0) }
    private val toFlush = ArrayDeque<Sender>()
    private val watched = ArrayList<Sender>()
    private var visited = System.nanoTime()
    private var closed = ArrayList<Runnable>()
    private val action = Consumer(::ready)

    val isCurrent: Boolean get() = Thread.currentThread() === thread

    fun start() = thread.start()

    /** [task] on the loop's thread, soon; it throws nothing. Also from there: after what is going on now. */
    fun execute(task: Runnable) {
        tasks.add(task)
        if (!isCurrent && !awake.get() && awake.compareAndSet(false, true)) selector.wakeup()
    }

    /** [task] after [nanos]. Only on the loop's thread. */
    fun schedule(nanos: Long, task: Runnable) {
        timers.add(Timer(System.nanoTime() + nanos, task))
    }

    /** [task] when the selector has let go of the channels that were closed before. Only on the loop's thread. */
    fun afterClosing(task: Runnable) {
        closed.add(task)
    }

    /** Flushes [sender] at the end of this turn, with all that the turn brought. Only on the loop's thread. */
    fun flushLater(sender: Sender) {
        toFlush.addLast(sender)
    }

    /** Visits [sender] every [WATCH_MILLIS] until it wants no more of that. Only on the loop's thread. */
    fun watch(sender: Sender) {
        if (watched.isEmpty()) visited = System.nanoTime()
        watched.add(sender)
    }

    fun release() = loops.release()

    override fun run() {
        selector.use {
            while (true) {
                runTasks()
                runTimers()
                visit()
                flush()
                if (closed.isEmpty() && tasks.isEmpty() && toFlush.isEmpty() && loops.mayStop(this)) return
                select()
            }
        }
    }

    private fun select() {
        val done = closed
        closed = ArrayList(0)
        when {
            // Whoever was resumed by a flush may have sent more.
            done.isNotEmpty() || hasWork() -> selector.selectNow(action)

            watched.isNotEmpty() -> sleep(WATCH_MILLIS)

            else -> waitForWork()
        }
        for (task in done) guarded(task::run)
    }

    private fun hasWork(): Boolean = !tasks.isEmpty() || toFlush.isNotEmpty()

    private fun waitForWork() {
        val began = System.nanoTime()
        val next = timers.peek()
        val patience = waits.patience(if (next == null) Long.MAX_VALUE else next.at - began)
        var found = false
        while (!found && System.nanoTime() - began < patience) {
            found = selector.selectNow(action) > 0 || hasWork()
            if (!found) Thread.yield()
        }
        if (!found) sleep(Long.MAX_VALUE)
        waits.ended(System.nanoTime() - began, inVain = !found && patience > 0)
    }

    /** For [most] milliseconds at most. */
    private fun sleep(most: Long) {
        val next = timers.peek()
        val limit = if (next == null) most else minOf(most, millisTo(next.at))
        awake.set(false)
        when {
            // Given before anybody could see that this sleeps.
            !tasks.isEmpty() -> Unit

            limit == Long.MAX_VALUE -> selector.select(action)

            else -> selector.select(action, limit)
        }
        awake.set(true)
    }

    private fun millisTo(at: Long): Long = NANOSECONDS.toMillis(at - System.nanoTime()).coerceAtLeast(0) + 1

    private fun ready(key: SelectionKey) {
        if (key.isValid) guarded { (key.attachment() as Ready).ready(key) }
    }

    /** A handler that throws where nothing can be closed for it costs nobody else their connection. */
    private inline fun guarded(call: () -> Unit) {
        try {
            call()
        } catch (e: Throwable) {
            thread.uncaughtExceptionHandler.uncaughtException(thread, e)
        }
    }

    private fun runTasks() {
        // Those that are added meanwhile wait for the next turn, so that keys get theirs.
        var left = tasks.size
        while (left-- > 0) (tasks.poll() ?: return).let { guarded(it::run) }
    }

    private fun runTimers() {
        while (true) {
            val next = timers.peek() ?: return
            if (next.at - System.nanoTime() > 0) return
            guarded(timers.poll().task::run)
        }
    }

    private fun visit() {
        if (watched.isEmpty()) return
        val now = System.nanoTime()
        if (now - visited < MILLISECONDS.toNanos(WATCH_MILLIS)) return
        visited = now
        watched.removeIf { sender ->
            var more = false
            guarded { more = sender.visited() }
            !more
        }
    }

    private fun flush() {
        var left = toFlush.size
        while (left-- > 0) guarded(toFlush.removeFirst()::flushOnLoop)
    }

    companion object {
        const val READ_SIZE = 1 shl 17
        const val WATCH_MILLIS = 1L
    }
}

/** Starts a [NioLoop] for the first who needs it, and lets it end when nobody does any more. */
internal class NioLoops {
    private val lock = Any()
    private var running: NioLoop? = null
    private var users = 0

    /** To be released once. */
    fun acquire(): NioLoop = synchronized(lock) {
        val loop = running ?: NioLoop(this).also {
            running = it
            it.start()
        }
        users++
        loop
    }

    fun release() {
        synchronized(lock) { users-- }
    }

    /** Asked by a loop that has nothing to do; after a yes it does nothing more. */
    fun mayStop(loop: NioLoop): Boolean = synchronized(lock) {
        if (users == 0 && running === loop) running = null
        running !== loop
    }

    companion object {
        /** That of the process. */
        val shared = NioLoops()
    }
}

package dev.carom.storage.sql

import dev.carom.storage.StorageException
import dev.carom.storage.internal.Machine
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.decrementAndFetch
import kotlin.concurrent.atomics.incrementAndFetch

/**
 * How many rows wait between a platform that pushes them and their reader.
 *
 * @property pauseCount at how many the platform is asked to pause. At least 2. What it had sent already is kept too.
 * @property resumeCount at how many it is asked to go on. 0..[pauseCount]-1.
 */
public class PushPolicy(public val pauseCount: Int, public val resumeCount: Int) {
    public constructor(pauseCount: Int) : this(pauseCount, pauseCount / 2)

    public constructor() : this(DEFAULT_PAUSE)

    init {
        require(pauseCount >= 2) { "pauseCount must be at least 2, was $pauseCount" }
        require(resumeCount in 0 until pauseCount) { "resumeCount must be in 0..${pauseCount - 1}, was $resumeCount" }
    }

    override fun toString(): String = "PushPolicy(pauseCount=$pauseCount, resumeCount=$resumeCount)"

    private companion object {
        const val DEFAULT_PAUSE = 256
    }
}

/** Told to the platform by [PushedRows]. Must not wait. */
public fun interface PushSignal {
    public fun told()
}

/** The platform's end of [PushedRows]: for one thread at a time. Handlers run on the thread that causes them; null removes one. */
public interface RowSink {
    /** Whether nobody wants more: what is pushed is dropped. */
    public val isCancelled: Boolean

    /**
     * Whether it is time to wait until told to go on. Who pushes from within a handler looks at this, and at [isCancelled],
     * before each row: the platform is told one thing at a time, and the next only when that handler has returned.
     */
    public val isPaused: Boolean

    /** The columns, before the first row; also of an empty result. */
    public fun columns(columns: List<ColumnInfo>)

    /** A row; whether it was wanted. @throws IllegalStateException before the columns. */
    public fun push(row: Row): Boolean

    /** A row of these values, in the order of the columns. @throws IllegalStateException before the columns. */
    public fun push(values: List<Any?>): Row

    /** A row of these values, by the names of the columns; others are left out. @throws IllegalStateException before the columns. */
    public fun push(values: Map<String, Any?>): Row

    /** Nothing more comes. A second time changes nothing. */
    public fun end()

    /** Nothing more comes, because of [cause]: an exception, or anything that says why. What is buffered is dropped. */
    public fun fail(cause: Any?)

    /** When to stop pushing for a while: at [PushPolicy.pauseCount]. */
    public fun onPause(handler: PushSignal?)

    /** When to go on: at [PushPolicy.resumeCount], before the reader has the row that made it so. */
    public fun onResume(handler: PushSignal?)

    /** When nobody wants more. The platform still says [end]. */
    public fun onCancel(handler: PushSignal?)
}

/**
 * Counts of [PushedRows].
 *
 * @property isReady whether it is known how the result begins.
 * @property buffered rows that wait.
 */
public class PushStats internal constructor(
    public val isReady: Boolean,
    public val buffered: Int,
    public val isPaused: Boolean,
    public val pauses: Long,
    public val resumes: Long,
)

/**
 * Rows of a platform that pushes them, with a bounded buffer; for adapters. Written to by [sink], read as any [Rows].
 *
 * [close] returns when the platform has said its end. *Cancelled* in [next]: the rows are closed.
 */
@OptIn(ExperimentalAtomicApi::class)
public class PushedRows(policy: PushPolicy) : Rows {
    public constructor() : this(PushPolicy())

    private val machine =
        Machine<PushState, PushEvent, PushEffect>(PushState(policy)) { state, event -> state.on(event) }
    private val begun = CompletableDeferred<Unit>()
    private val completed = CompletableDeferred<Unit>()
    private val flowing = AtomicInt(0)
    private var flowPaused = false
    private var flowStopped = false

    @Volatile private var current: Row? = null

    @Volatile private var pauseHandler: PushSignal? = null

    @Volatile private var resumeHandler: PushSignal? = null

    @Volatile private var cancelHandler: PushSignal? = null

    /** What the platform writes to. */
    public val sink: RowSink = Sink()

    /** The last failure, or null. */
    public val failure: Throwable? get() = machine.state.failure

    override val columns: Columns
        get() = machine.state.run { columns ?: throw failure ?: IllegalStateException("no columns yet: await ready()") }
    override val row: Row get() = checkNotNull(current) { "no row: call next first, and only while it returns true" }
    override val isClosed: Boolean get() = machine.state.isClosed

    public fun stats(): PushStats =
        machine.state.run { PushStats(columns != null || ended, buffer.size, paused, pauses, resumes) }

    /** Waits until the columns are known, or until the end, or until it is closed; throws if it failed before that. */
    public suspend fun ready() {
        begun.await()
        machine.state.run { if (columns == null) failure?.let { throw it } }
    }

    override suspend fun next(): Boolean {
        val asking = Reader()
        perform(machine.send(PushEvent.NextAsked(asking)))
        val answer = try {
            asking.answer.await()
        } catch (e: CancellationException) {
            perform(machine.send(PushEvent.NextGone(asking)))
            throw e
        }
        if (answer is Throwable) throw answer
        current = answer as Row?
        return answer != null
    }

    override suspend fun close() {
        current = null
        perform(machine.send(PushEvent.CloseAsked))
        withContext(NonCancellable) { completed.await() }
    }

    /** What is left, once; closed on every exit, before the collector's exception goes on. */
    public fun asFlow(): Flow<Row> = flow {
        try {
            while (next()) emit(row)
        } finally {
            withContext(NonCancellable) { close() }
        }
    }

    /** What is left, as what a [SqlDriver] opens. Await [ready] first, for the columns. */
    public fun asCursor(): SqlCursor = PushedCursor(this)

    private class Reader : PushReader() {
        /** A row, a failure, or null at the end: a failure as a value, for thrown by await it could arrive as a copy. */
        val answer = CompletableDeferred<Any?>()
    }

    private fun perform(effects: List<PushEffect>) {
        for (effect in effects) {
            when (effect) {
                is PushEffect.Deliver -> (effect.reader as Reader).answer.complete(effect.row)

                is PushEffect.Finish -> (effect.reader as Reader).answer.complete(null)

                is PushEffect.Fail -> (effect.reader as Reader).answer.complete(effect.failure)

                is PushEffect.RefuseConcurrent -> (effect.reader as Reader).answer.complete(
                    StorageException.ConcurrentNext(
                        "rows",
                        "next was called while another call of it had not returned",
                    ),
                )

                is PushEffect.Ready -> begun.complete(Unit)

                is PushEffect.Flow -> flow()

                is PushEffect.Complete -> completed.complete(Unit)
            }
        }
    }

    /**
     * Tells the platform what is wanted now, by one thread at a time: a pause must not overtake the going on after it, nor the
     * cancel. Somebody may be waiting for what comes next, so a handler that throws does so at the end.
     */
    private fun flow() {
        if (flowing.incrementAndFetch() != 1) return
        var failure: Throwable? = null
        do {
            try {
                tell(machine.state)
            } catch (e: Throwable) {
                failure = failure ?: e
            }
        } while (flowing.decrementAndFetch() != 0)
        failure?.let { throw it }
    }

    private fun tell(now: PushState) {
        when {
            flowStopped -> return

            now.stopped -> {
                flowStopped = true
                cancelHandler?.told()
            }

            now.paused != flowPaused -> {
                flowPaused = now.paused
                (if (now.paused) pauseHandler else resumeHandler)?.told()
            }
        }
    }

    private inner class Sink : RowSink {
        override val isCancelled: Boolean get() = machine.state.cancelled

        override val isPaused: Boolean get() = machine.state.run { paused && !cancelled }

        override fun columns(columns: List<ColumnInfo>) = perform(machine.send(PushEvent.ColumnsCame(Columns(columns))))

        override fun push(row: Row): Boolean {
            known()
            val wanted = !machine.state.run { cancelled || ended }
            perform(machine.send(PushEvent.RowCame(row)))
            return wanted
        }

        override fun push(values: List<Any?>): Row = Row(known(), values).also(::push)

        override fun push(values: Map<String, Any?>): Row = push(known().names.map { values[it] })

        private fun known(): Columns = checkNotNull(machine.state.columns) { "a row before its columns" }

        override fun end() = perform(machine.send(PushEvent.Ended(null)))

        override fun fail(cause: Any?) {
            val failure = when (cause) {
                is Throwable -> cause
                null -> StorageException.BadRow("the platform failed and did not say why")
                else -> StorageException.BadRow("the platform failed: $cause")
            }
            perform(machine.send(PushEvent.Ended(failure)))
        }

        override fun onPause(handler: PushSignal?) {
            pauseHandler = handler
        }

        override fun onResume(handler: PushSignal?) {
            resumeHandler = handler
        }

        override fun onCancel(handler: PushSignal?) {
            cancelHandler = handler
        }
    }

    override fun toString(): String = machine.state.run {
        "pushed rows, ${buffer.size} buffered" + (if (paused) ", paused" else "") + (if (isClosed) ", closed" else "")
    }
}

private class PushedCursor(private val rows: PushedRows) : SqlCursor {
    override val columns: Columns get() = rows.columns

    override suspend fun fetch(max: Int): List<Row> {
        val page = ArrayList<Row>()
        while (page.size < max && rows.next()) page += rows.row
        return page
    }

    override suspend fun close(): Unit = rows.close()
}

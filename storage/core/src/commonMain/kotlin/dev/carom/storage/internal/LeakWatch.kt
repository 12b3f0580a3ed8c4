package dev.carom.storage.internal

import dev.carom.storage.LeaseInfo
import dev.carom.storage.StorageNotice
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlin.concurrent.Volatile
import kotlin.time.Duration

/**
 * Tells of handles that nobody has used for a while: of each once, and again only after it was used in between. Activity
 * counts, not age, so that a long stream is no leak. Nothing runs while nothing is on loan: a handle wakes the watch, which
 * looks a few times in the time that is allowed, and rests when there is nothing left that it could still tell.
 */
internal class LeakWatch(private val after: Duration, private val tell: (StorageNotice) -> Unit) {
    private val wake = Channel<Unit>(Channel.CONFLATED)

    @Volatile private var resting = true

    /** A handle was taken or used. */
    fun used() {
        if (resting) wake.trySend(Unit)
    }

    fun start(engine: Engine<*>, loans: () -> Collection<Lease<*>>): Job = engine.scope.launch {
        for (ignored in wake) {
            resting = false
            do {
                delay(after / LOOKS)
                // Before looking: whoever comes while we look wakes us again.
                resting = true
                val more = look(engine.now, loans())
                if (more) resting = false
            } while (more)
        }
    }

    /** Returns whether something may have to be told yet. */
    private fun look(now: Duration, loans: Collection<Lease<*>>): Boolean {
        var more = false
        for (lease in loans) {
            val use = lease.use
            when {
                !use.watched || use.told -> Unit
                use.idle(now) < after -> more = true
                else -> told(lease)
            }
        }
        return more
    }

    private fun told(lease: Lease<*>) {
        lease.use.told = true
        val info: LeaseInfo = lease.info
        tell(StorageNotice.LeakSuspected(info))
    }

    private companion object {
        const val LOOKS = 4
    }
}

/** When a loan was used last. Written by whoever uses it, one at a time. */
internal class LeaseUse(since: Duration) {
    @Volatile private var last: Duration = since

    @Volatile private var running = false

    /** Whether it can leak at all: one operation of a pool cannot. */
    @Volatile var watched = false

    @Volatile var told = false

    fun begins() {
        running = true
    }

    fun ends(now: Duration) {
        last = now
        running = false
        told = false
    }

    /** Zero while a call runs. */
    fun idle(now: Duration): Duration = if (running) Duration.ZERO else now - last
}

package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Explanation
import dev.carom.pool.Holder
import dev.carom.pool.PoolException
import dev.carom.pool.PoolNotice
import dev.carom.pool.WaitingClaim
import kotlinx.coroutines.CompletableDeferred
import kotlin.time.Duration

/** Matters of the shell. */
internal sealed interface ShellInput : LoopInput {
    /** The coarse clock was asked: tick once, a little later. */
    data object Pulse : ShellInput

    /** A waiter's deadline is earlier than what the loop sleeps for. */
    data object DeadlineMoved : ShellInput

    class Close(val grace: Duration) : ShellInput

    class DeskClosed(val refused: Int) : ShellInput

    class Refused(val cause: PoolException) : ShellInput

    class Tell(val notice: PoolNotice) : ShellInput

    class ResolverEnded(val cause: Throwable?, val retry: Duration) : ShellInput

    class CloseFailed(val slot: Long, val cause: Throwable) : ShellInput

    class WhyNotReady(val wanted: Int, val answer: CompletableDeferred<PoolException>) : ShellInput

    class Explain(
        val waiters: List<WaitingClaim>,
        val first: Holder?,
        val summary: String?,
        val answer: CompletableDeferred<Explanation>,
    ) : ShellInput

    class Pause(val paused: Boolean) : ShellInput

    /** Answers with the number of connections there are. */
    class Drain(val backend: Backend, val answer: CompletableDeferred<Int>) : ShellInput
}

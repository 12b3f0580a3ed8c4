package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

internal sealed interface CancelEvent {
    /** Somebody wants the call to end. A second time changes nothing. */
    data object Requested : CancelEvent

    /** A cancel request has been dealt with, well or badly. */
    data object Answered : CancelEvent

    /** @property cancelled whether the call reported that it was cancelled. */
    class Ended(val cancelled: Boolean) : CancelEvent

    data object Tick : CancelEvent
}

internal sealed interface CancelEffect {
    data object Send : CancelEffect

    /** The grace is over: cut the session off. */
    data object Abort : CancelEffect

    /** Neither the call nor a cancel request is under way any more, or the session was cut off. */
    class Settled(val result: CancelClass) : CancelEffect
}

/**
 * How a running call is stopped for certain, and without hitting the next one on that session.
 * ```
 * Running ──Requested──▶ Stopping ──the call ended, no request under way──▶ settled
 *    │                     └──grace over──▶ Abort, settled TIMEOUT
 *    └──Requested, destroys──▶ Abort, settled CUT_OFF
 * ```
 * A request may come before the server has started the call, and is lost then: so it is repeated, after [repeat], twice
 * that, and so on up to 500 ms, until the *call* has ended. A request may come after the call ended and hit what comes next:
 * so the session is not free before every request has been dealt with.
 */
internal data class CancelState(
    val grace: Duration,
    val repeat: Duration,
    val destroys: Boolean = false,
    val requestedAt: Duration? = null,
    val sent: Int = 0,
    val answered: Int = 0,
    val ended: CancelEvent.Ended? = null,
    val nextSend: Duration? = null,
    val settled: Boolean = false,
) {
    val nextDeadline: Duration?
        get() {
            val since = requestedAt ?: return null
            if (settled) return null
            val over = since + grace
            val send = nextSend
            return if (send == null || ended != null || sent > answered) over else minOf(over, send)
        }

    fun on(event: CancelEvent, now: Duration): Step<CancelState, CancelEffect> = when {
        settled -> Step(this)

        else -> when (event) {
            is CancelEvent.Requested -> requested(now)
            is CancelEvent.Answered -> copy(answered = answered + 1, nextSend = now + pause()).settle()
            is CancelEvent.Ended -> copy(ended = event).settle()
            is CancelEvent.Tick -> ticked(now)
        }
    }

    private fun requested(now: Duration): Step<CancelState, CancelEffect> = when {
        requestedAt != null -> Step(this)

        ended != null -> copy(requestedAt = now).settle()

        destroys -> Step(
            copy(requestedAt = now, settled = true),
            CancelEffect.Abort,
            CancelEffect.Settled(CancelClass.CUT_OFF),
        )

        else -> Step(copy(requestedAt = now, sent = 1), CancelEffect.Send)
    }

    private fun ticked(now: Duration): Step<CancelState, CancelEffect> {
        val since = requestedAt ?: return Step(this)
        val send = nextSend
        return when {
            now >= since + grace ->
                Step(copy(settled = true), CancelEffect.Abort, CancelEffect.Settled(CancelClass.TIMEOUT))

            ended == null && sent == answered && send != null && now >= send ->
                Step(copy(sent = sent + 1, nextSend = null), CancelEffect.Send)

            else -> Step(this)
        }
    }

    private fun pause(): Duration = minOf(repeat * (1 shl minOf(answered, MAX_DOUBLINGS)), LONGEST_PAUSE)

    private fun settle(): Step<CancelState, CancelEffect> {
        val how = ended
        if (how == null || sent > answered) return Step(this)
        val result = when {
            how.cancelled && sent > 0 -> CancelClass.CONFIRMED
            sent > 0 -> CancelClass.COMPLETED
            else -> CancelClass.NOT_SENT
        }
        return Step(copy(settled = true), CancelEffect.Settled(result))
    }

    private companion object {
        const val MAX_DOUBLINGS = 6
        val LONGEST_PAUSE = 500.milliseconds
    }
}

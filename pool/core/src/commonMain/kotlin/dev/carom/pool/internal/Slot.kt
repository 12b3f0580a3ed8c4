package dev.carom.pool.internal

import dev.carom.pool.SlotStatus
import kotlin.time.Duration

/**
 * A commitment to have one connection to one backend.
 *
 * ```
 *               Connect              Connected             (the desk lends it and takes it back)
 *  BackingOff ───────────► Connecting ──────────► Ready ◄─────────────────────┐
 *      ▲                     │                    │ │ │ ▲                     │
 *      └── Ended(cause) ─────┘          recalled, │ │ │ └── Checked ── Checking, Recycling
 *                                        on loan  │ │ └──── Standby: its priority is not in use
 *                                                 ▼ ▼
 *                                          Draining, Closing ── Ended ──► gone
 * ```
 * Every state but BackingOff has a coroutine; it ends with exactly one Ended.
 */
internal class Slot(val id: Long, val index: Int, val set: SlotSet) {
    var state: SlotState = SlotState.BackingOff

    /**
     * On loan, cleaned or checked, and to be closed when it comes back if another backend needs its place then, although
     * nothing is wrong with it.
     */
    var yields = false
}

internal sealed interface SlotState {
    /** Waits for its backend's `notBefore`, or for its turn. */
    data object BackingOff : SlotState

    data object Connecting : SlotState

    /** In circulation: free or on loan, which only the desk knows. */
    data class Ready(val life: Life) : SlotState

    /** Open and idle, but of a priority that is not in use. */
    data class Standby(val life: Life) : SlotState

    data class Checking(val life: Life) : SlotState

    data class Recycling(val life: Life) : SlotState

    /** On loan; to be closed when it comes back. */
    data class Draining(val life: Life, val reason: String, val since: Duration) : SlotState

    data object Closing : SlotState
}

/** The times of one connection. */
internal class Life(val since: Duration, var expires: Duration, var nextCheck: Duration)

internal val SlotState.status: SlotStatus
    get() = when (this) {
        SlotState.BackingOff -> SlotStatus.BackingOff
        SlotState.Connecting -> SlotStatus.Connecting
        is SlotState.Ready, is SlotState.Standby -> SlotStatus.Ready
        is SlotState.Checking -> SlotStatus.Checking
        is SlotState.Recycling -> SlotStatus.Recycling
        is SlotState.Draining -> SlotStatus.Draining
        SlotState.Closing -> SlotStatus.Closing
    }

/** Whether it is in circulation or about to be again. */
internal val SlotState.returns: Boolean
    get() = when (this) {
        is SlotState.Ready, is SlotState.Checking, is SlotState.Recycling -> true
        SlotState.BackingOff, SlotState.Connecting, SlotState.Closing -> false
        is SlotState.Standby, is SlotState.Draining -> false
    }

internal val SlotState.life: Life?
    get() = when (this) {
        SlotState.BackingOff, SlotState.Connecting, SlotState.Closing -> null
        is SlotState.Ready -> life
        is SlotState.Standby -> life
        is SlotState.Checking -> life
        is SlotState.Recycling -> life
        is SlotState.Draining -> life
    }

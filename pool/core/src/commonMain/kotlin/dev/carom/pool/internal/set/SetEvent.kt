package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.Removal
import dev.carom.pool.SetNotice
import kotlin.time.Duration

/** What the set's loop takes in: events for the state, and matters of the shell. */
internal sealed interface SetInput

/** What happened. An event about a slot that is gone is ignored: the shell may lose a race. */
internal sealed interface SetEvent : SetInput {
    /** The resolver listed this, the whole of it. */
    data class BackendsListed(val backends: Set<Backend>) : SetEvent

    data class Connected(val slot: Long) : SetEvent

    /**
     * The slot's coroutine ended: its connection is closed, or ([cause]) was never opened. Exactly one per
     * [SetEffect.Connect].
     */
    data class Ended(val slot: Long, val cause: Throwable?) : SetEvent

    /** The peer closed or ([cause]) broke the connection. */
    data class Lost(val slot: Long, val cause: Throwable?) : SetEvent

    /** A user says that the connection is broken. */
    data class Failed(val slot: Long, val cause: Throwable?) : SetEvent

    data class Checked(val slot: Long, val failure: Throwable?) : SetEvent

    /** Nobody holds a lease of this connection any more, and nobody will. */
    data class Drained(val slot: Long) : SetEvent

    data class CloseRequested(val grace: Duration) : SetEvent

    /** Time passed; at the latest at [SetState.nextDeadline]. */
    data object Tick : SetEvent
}

/** What must be done, in this order. */
internal sealed interface SetEffect {
    data class Connect(val slot: Long, val backend: Backend) : SetEffect

    /** End the slot's coroutine: cancel the connect, or close the connection. */
    data class Disconnect(val slot: Long) : SetEffect

    data class Check(val slot: Long) : SetEffect

    /** The connection is in the set from now on. */
    data class Admit(val slot: Long) : SetEffect

    /** The connection is no longer in the set; [SetEvent.Drained] is due when nobody holds it. */
    data class Retire(val slot: Long, val reason: Removal, val cause: Throwable?) : SetEffect

    data class Tell(val notice: SetNotice) : SetEffect
}

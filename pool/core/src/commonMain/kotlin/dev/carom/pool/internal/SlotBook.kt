package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import kotlin.random.Random
import kotlin.time.Duration

internal const val REMOVED = "removed by the resolver"
internal const val DRAINED = "drained on request"

/** The slots there are, the moves between their states, and the effects of the event at hand. */
internal class SlotBook(private val policy: PoolPolicy, private val lending: Lending, val random: Random) {
    val sets = LinkedHashMap<Backend, SlotSet>()
    val slots = LinkedHashMap<Long, Slot>()
    private val freeIndices = ArrayDeque((0 until policy.ceiling).toList())
    private var lastId = 0L

    var now: Duration = Duration.ZERO
        private set
    var effects = ArrayList<PoolEffect>()
        private set

    /** As [PoolPolicy.spares] and [PoolPolicy.maxSlots], until they are changed. */
    var spares = policy.spares
    var maxSlots = policy.maxSlots

    /** Connections opened in all, and those of them that ended by themselves. */
    var opened = 0L
    var dropped = 0L
        private set

    /** Connections closed in all, and of these under their holders. */
    var closed = 0
        private set
    var forced = 0
        private set

    /** Loans of backends that are gone altogether. */
    var goneLoans = 0L
        private set

    fun begin(now: Duration) {
        this.now = now
        effects = ArrayList()
    }

    fun add(effect: PoolEffect) {
        effects.add(effect)
    }

    fun tell(notice: PoolNotice) {
        effects.add(PoolEffect.Tell(notice))
    }

    /** A new slot that has not connected yet, or null when [maxSlots] exist. */
    fun open(set: SlotSet, reason: String): Slot? {
        if (slots.size >= maxSlots) return null
        val index = freeIndices.removeFirstOrNull() ?: return null
        val slot = Slot(++lastId, index, set)
        slots[slot.id] = slot
        set.slots.add(slot)
        tell(PoolNotice.SlotChanged(slot.id, set.backend, null, SlotState.BackingOff.status, reason, null))
        return slot
    }

    fun connect(slot: Slot) {
        move(slot, SlotState.Connecting, "its turn")
        add(PoolEffect.Connect(slot.id, slot.index, slot.set.backend, slot.set.meter))
    }

    fun move(slot: Slot, to: SlotState, reason: String, cause: Throwable? = null) {
        val from = slot.state
        if (from.life != null && to.life == null) slot.set.bankLoans(slot.index, lending)
        slot.state = to
        if (from.status == to.status) return
        tell(PoolNotice.SlotChanged(slot.id, slot.set.backend, from.status, to.status, reason, cause))
    }

    /** Closes a connection that is not in circulation, or cancels a connect. */
    fun close(slot: Slot, reason: String, cause: Throwable? = null) {
        if (slot.state.life != null) closed++
        slot.yields = false
        move(slot, SlotState.Closing, reason, cause)
        add(PoolEffect.Disconnect(slot.id))
    }

    /** Ends a slot in whatever state; a connection on loan ends when it comes back. */
    fun end(slot: Slot, reason: String, cause: Throwable? = null) {
        when (val state = slot.state) {
            SlotState.BackingOff -> gone(slot, reason)

            SlotState.Connecting, is SlotState.Standby, is SlotState.Checking, is SlotState.Recycling -> close(
                slot,
                reason,
                cause,
            )

            is SlotState.Ready ->
                if (recall(slot)) {
                    close(slot, reason, cause)
                } else {
                    slot.yields = false
                    move(slot, SlotState.Draining(state.life, reason, now), reason, cause)
                }

            is SlotState.Draining, SlotState.Closing -> Unit
        }
    }

    /** Takes a connection out of circulation: true if nobody has it; else it comes back. */
    fun recall(slot: Slot): Boolean =
        // What this very event was about to put into circulation is not there yet.
        effects.remove(PoolEffect.Lend(slot.id)) || lending.recall(slot.index)

    /** Undoes a [recall] that found the connection on loan, unless it is to be closed when it comes back. */
    fun keep(slot: Slot) {
        if (!slot.yields) lending.keep(slot.index)
    }

    /** Closes a connection under its holder. */
    fun force(slot: Slot, reason: String) {
        if (slot.state !is SlotState.Draining) return
        forced++
        closed--
        close(slot, reason)
    }

    /** A connection of a removed or drained backend may stay after all. */
    fun undrain(slot: Slot, reason: String) {
        val state = slot.state as? SlotState.Draining ?: return
        if (state.reason != REMOVED && state.reason != DRAINED) return
        lending.keep(slot.index)
        move(slot, SlotState.Ready(state.life), reason)
    }

    fun gone(slot: Slot, reason: String) {
        val set = slot.set
        if (slot.state.life != null) {
            dropped++
            set.bankLoans(slot.index, lending)
        }
        tell(PoolNotice.SlotChanged(slot.id, set.backend, slot.state.status, null, reason, null))
        slots.remove(slot.id)
        set.remove(slot)
        // The lowest are the reserved lane's: they are taken first.
        if (slot.index < policy.reserved) freeIndices.addFirst(slot.index) else freeIndices.addLast(slot.index)
        if (!set.listed && set.slots.isEmpty()) drop(set)
    }

    fun drop(set: SlotSet) {
        if (sets.remove(set.backend) != null) goneLoans += set.snapshot(lending, now).claims
    }

    /** For [Membership.down]. */
    fun down(set: SlotSet, reason: String, cause: Throwable?) {
        if (set.reach == Reach.Down) return
        set.reach = Reach.Down
        set.upSince = null
        if (set.listed) tell(PoolNotice.BackendDown(set.backend, reason, cause))
    }
}

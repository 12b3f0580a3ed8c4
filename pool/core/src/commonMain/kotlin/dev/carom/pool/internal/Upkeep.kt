package dev.carom.pool.internal

import dev.carom.pool.PoolPolicy
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Health checks and lifetimes. */
internal class Upkeep(
    private val policy: PoolPolicy,
    private val lending: Lending,
    private val book: SlotBook,
    private val random: Random,
    private val hooks: Hooks,
) {
    val nextDeadline: Duration?
        get() = listOfNotNull(
            book.slots.values.mapNotNull { slot ->
                val life = slot.state.idleLife ?: return@mapNotNull null
                minOf(life.nextCheck, life.expires, idleEnd(slot) ?: life.expires)
            }.minOrNull(),
            book.slots.values.mapNotNull { drainEnd(it) }.minOrNull(),
            if (hooks.role) book.sets.values.filter { it.online }.minOfOrNull { it.nextProbe } else null,
        ).minOrNull()

    fun newLife(): Life {
        val now = book.now
        val lifetime = policy.maxLifetime * (1 - policy.lifetimeJitter * random.nextDouble())
        // The first check falls anywhere in the interval, so that connections opened together are not checked together.
        return Life(
            since = now,
            expires = now + lifetime,
            nextCheck =
            now + policy.healthInterval * random.nextDouble(FIRST, 1.0),
        )
    }

    fun planCheck(life: Life) {
        life.nextCheck = book.now + policy.healthInterval * random.nextDouble(1 - DRIFT, 1 + DRIFT)
    }

    /** Connections past their lifetime, on loan or not. */
    fun expired(): List<Slot> = book.slots.values.filter { slot ->
        slot.state.idleLife?.let { it.expires <= book.now } ?: false
    }

    /** Connections nobody has wanted for too long. */
    fun idleTooLong(): List<Slot> = book.slots.values.filter { slot -> idleEnd(slot)?.let { it <= book.now } ?: false }

    /** Lent connections of removed or drained backends whose holders have had time enough. */
    fun drainedTooLong(): List<Slot> = book.slots.values.filter { slot ->
        drainEnd(slot)?.let { it <= book.now }
            ?: false
    }

    private fun idleEnd(slot: Slot): Duration? {
        if (policy.idleTimeout.isInfinite() || slot.state !is SlotState.Ready ||
            !lending.isFree(slot.index)
        ) {
            return null
        }
        return lending.idleSince(slot.index).milliseconds + policy.idleTimeout
    }

    private fun drainEnd(slot: Slot): Duration? {
        val state = slot.state as? SlotState.Draining ?: return null
        if (policy.drainTimeout.isInfinite() || (state.reason != REMOVED && state.reason != DRAINED)) return null
        return state.since + policy.drainTimeout
    }

    /** Takes all idle connections of a backend out of circulation and checks them, because one of them broke. */
    fun sweep(set: SlotSet) {
        if (!hooks.valid || set.sweptAt?.let { book.now - it < policy.checkTimeout } == true) return
        set.sweptAt = book.now
        for (slot in set.slots) {
            val life = slot.state.idleLife ?: continue
            if (takeOut(slot, life)) startCheck(slot, life, "another of this backend broke")
        }
    }

    /** Asks backends for their roles, one idle connection of each. */
    fun startProbes() {
        if (!hooks.role) return
        for (set in book.sets.values) {
            if (set.nextProbe > book.now) continue
            set.nextProbe = book.now + policy.roleInterval
            if (set.slots.any { it.state is SlotState.Checking }) continue
            for (slot in set.slots) {
                val life = slot.state.idleLife ?: continue
                if (!takeOut(slot, life)) continue
                startCheck(slot, life, "the role is asked for")
                break
            }
        }
    }

    private fun startCheck(slot: Slot, life: Life, reason: String) {
        book.move(slot, SlotState.Checking(life), reason)
        book.add(PoolEffect.Check(slot.id))
    }

    fun startChecks() {
        if (policy.healthInterval.isInfinite()) return
        for (slot in book.slots.values.toList()) {
            val life = slot.state.idleLife ?: continue
            if (life.nextCheck > book.now) continue
            if (mayCheck(slot) && takeOut(slot, life)) {
                startCheck(slot, life, "its check is due")
            } else {
                life.nextCheck = book.now + policy.healthInterval * POSTPONED
            }
        }
    }

    private fun mayCheck(slot: Slot): Boolean {
        val checking = book.slots.values.count { it.state is SlotState.Checking }
        val connected = book.slots.values.count { it.state.life != null }
        if (checking >= maxOf(1, connected / MOST_AT_ONCE)) return false
        return slot.state is SlotState.Standby || (lending.waiting == 0 && lending.free > policy.healthReserve)
    }

    /** Out of circulation, if it was idle. */
    private fun takeOut(slot: Slot, life: Life): Boolean {
        if (slot.state is SlotState.Standby) return true
        if (lending.isFree(slot.index) && lending.recall(slot.index)) {
            slot.state = SlotState.Standby(life)
            return true
        }
        book.keep(slot)
        return false
    }

    private val SlotState.idleLife: Life?
        get() = when (this) {
            is SlotState.Ready -> life
            is SlotState.Standby -> life
            SlotState.BackingOff, SlotState.Connecting, SlotState.Closing -> null
            is SlotState.Checking, is SlotState.Recycling, is SlotState.Draining -> null
        }

    private companion object {
        const val FIRST = 0.05
        const val DRIFT = 0.1
        const val POSTPONED = 0.125
        const val MOST_AT_ONCE = 4
    }
}

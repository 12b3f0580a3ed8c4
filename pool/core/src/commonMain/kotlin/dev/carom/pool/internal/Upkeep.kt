package dev.carom.pool.internal

import dev.carom.pool.PoolPolicy
import kotlin.random.Random
import kotlin.time.Duration

/** Health checks and lifetimes. */
internal class Upkeep(
    private val policy: PoolPolicy,
    private val lending: Lending,
    private val book: SlotBook,
    private val random: Random,
) {
    val nextDeadline: Duration?
        get() = book.slots.values
            .mapNotNull { it.state.idleLife }
            .minOfOrNull { minOf(it.nextCheck, it.expires) }

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

    fun startChecks() {
        if (policy.healthInterval.isInfinite()) return
        for (slot in book.slots.values.toList()) {
            val life = slot.state.idleLife ?: continue
            if (life.nextCheck > book.now) continue
            if (mayCheck(slot) && takeOut(slot, life)) {
                book.move(slot, SlotState.Checking(life), "its check is due")
                book.add(PoolEffect.Check(slot.id))
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
        lending.keep(slot.index)
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

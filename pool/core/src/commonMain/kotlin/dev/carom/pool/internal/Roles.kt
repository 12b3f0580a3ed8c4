package dev.carom.pool.internal

import dev.carom.pool.PoolNotice
import dev.carom.pool.Role
import dev.carom.pool.describe

/** What backends are for: learnt from probes, unlearnt when a caller meets a demoted one. */
internal class Roles(private val book: SlotBook, private val hooks: Hooks) {
    fun learnt(set: SlotSet, probe: Probe?) {
        // Asked before a caller found it demoted: that caller knows better.
        if (!hooks.role || probe == null || probe.demotions != set.readings.demotions) return
        set.meter.role = probe.role
        tell(set, probe.role, "probe")
    }

    fun lost(set: SlotSet, cause: Throwable?) {
        // Asked again soon: fail-overs are when roles change.
        set.nextProbe = book.now
        tell(set, set.readings.role, "a caller was told so" + cause?.let { ": ${describe(it)}" }.orEmpty())
    }

    private fun tell(set: SlotSet, role: Role, reason: String) {
        if (set.role == role) return
        book.tell(PoolNotice.RoleChanged(set.backend, set.role, role, reason))
        set.role = role
        book.add(PoolEffect.Reconsider)
    }
}

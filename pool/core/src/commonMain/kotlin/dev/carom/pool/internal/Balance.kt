package dev.carom.pool.internal

/** What a backend gets slots for. Kinds are served in this order. */
internal enum class Share {
    /** Claims go to it. */
    Serving,

    /** Not known to work: one slot, to find out. */
    Probe,

    /** Works, but of a priority that is not in use: one slot, to be ready. */
    Standby,
}

/**
 * @property held slots it cannot give up: on loan or closing.
 * @property weight 1 or more.
 * @property down a probe of a backend that has failed: one slot is set aside for these.
 */
internal class Claimant(val share: Share, val held: Int, val weight: Int = 1, val down: Boolean = false)

/**
 * Allots slots to [claimants]; earlier ones win ties.
 *
 * - The sum is at most [room], if what they hold is; nobody gets less than it holds.
 * - Serving backends share [target] by weight; equal ones differ by at most one unless loans force more. With [everyBackend]
 *   each gets one slot even beyond the target, before any other kind gets any.
 * - If any backend is down, one slot is kept from the serving ones, beyond their first, for a probe.
 * - Probes, then standbys, get one each of what is left.
 */
internal fun balance(
    claimants: List<Claimant>,
    target: Int,
    room: Int,
    perBackend: Int,
    everyBackend: Boolean,
): IntArray {
    val slots = IntArray(claimants.size) { claimants[it].held }
    var left = room - slots.sum()

    fun oneEach(share: Share) {
        for ((i, claimant) in claimants.withIndex()) {
            if (left > 0 && claimant.share == share && slots[i] == 0) {
                slots[i] = 1
                left--
            }
        }
    }

    val serving = claimants.indices.filter { claimants[it].share == Share.Serving }
    if (everyBackend) oneEach(Share.Serving)
    val keptForProbe = if (claimants.indices.any { claimants[it].down && slots[it] == 0 }) 1 else 0
    var wanted = target - serving.sumOf { slots[it] }
    while (wanted > 0 && left > keptForProbe) {
        // The next slot goes where slots per weight stay lowest (D'Hondt's method).
        val poorest = serving
            .filter { slots[it] < perBackend }
            .minByOrNull { (slots[it] + 1.0) / claimants[it].weight } ?: break
        slots[poorest]++
        left--
        wanted--
    }
    oneEach(Share.Probe)
    oneEach(Share.Standby)
    return slots
}

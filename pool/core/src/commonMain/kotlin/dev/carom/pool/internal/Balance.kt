package dev.carom.pool.internal

/** What a backend gets slots for. Kinds are served in this order. */
internal enum class Share {
    /** Claims go to it. */
    Serving,

    /** Not known to work: one slot, to find out. */
    Probe,

    /** Not down, but of a tier that is not in use: one slot, to be ready. */
    Standby,

    /** Not to be used: no slot. */
    Idle,
}

/**
 * @property held slots it cannot give up: on loan.
 * @property weight above 0.
 * @property down a probe of a backend that has failed.
 * @property fresh a probe of a backend that has not been tried, and that would serve if it works.
 */
internal class Claimant(
    val share: Share,
    val held: Int,
    val weight: Double = 1.0,
    val down: Boolean = false,
    val fresh: Boolean = false,
)

/**
 * Allots slots to [claimants]; earlier ones win ties.
 *
 * - The sum is at most [room], if what they hold is; nobody gets less than it holds.
 * - Serving backends share [target] by weight; equal ones differ by at most one unless loans force more. With [everyBackend]
 *   each gets one slot even beyond the target, before any other kind gets any.
 * - Beyond their first, serving backends leave one slot for a probe if any is down, and up to a quarter of [room] for fresh
 *   ones: these must get in even when there is demand for everything.
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
    val without = claimants.filterIndexed { i, _ -> slots[i] == 0 }
    val fresh = if (everyBackend) without.count { it.fresh }.coerceAtMost(maxOf(1, room / FRESH_SHARE)) else 0
    val keptForProbe = fresh + if (without.any { it.down }) 1 else 0
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

private const val FRESH_SHARE = 4

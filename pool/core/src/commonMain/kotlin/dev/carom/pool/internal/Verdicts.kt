package dev.carom.pool.internal

import dev.carom.pool.BackendVerdict
import dev.carom.pool.describe

/** What a claim may expect of each listed backend, and why. */
internal fun verdicts(book: SlotBook, lending: Lending): List<BackendVerdict> = book.sets.values
    .filter { it.listed }
    .sortedWith(compareBy({ !it.active }, { it.backend.priority }, { it.backend.name }, { it.backend.port }))
    .map { set ->
        val free = set.slots.count { it.state is SlotState.Ready && lending.isFree(it.index) }
        BackendVerdict(set.backend, set.active && free > 0, reason(set, free, book), set.lastError)
    }

private fun reason(set: SlotSet, free: Int, book: SlotBook): String {
    val ejected = set.ejectedUntil
    val next = set.notBefore - book.now
    return when {
        set.drained -> "drained on request, ${set.connected} connections left"

        ejected != null -> "ejected for another ${ejected - book.now}: ${set.ejectedFor}"

        set.reach == Reach.Down -> {
            val error = set.lastError?.let { ": ${describe(it)}" }.orEmpty()
            "down$error; " + if (next.isPositive()) "next attempt in $next" else "being tried"
        }

        !set.active -> set.passedOver

        set.connected == 0 && set.slots.isEmpty() ->
            "no connection, and no slot for one (${book.slots.size} of ${book.maxSlots} taken)"

        set.connected == 0 -> "no connection yet"

        free > 0 -> "$free of ${set.connected} connections free"

        else -> busy(set)
    }
}

private fun busy(set: SlotSet): String {
    val checking = set.slots.count { it.state is SlotState.Checking }
    val cleaning = set.slots.count { it.state is SlotState.Recycling }
    val also = listOfNotNull(
        "$checking being checked".takeIf { checking > 0 },
        "$cleaning being cleaned".takeIf { cleaning > 0 },
    )
    val lent = set.connected - checking - cleaning
    return "$lent of ${set.connected} connections on loan" + also.joinToString("") { ", $it" }
}

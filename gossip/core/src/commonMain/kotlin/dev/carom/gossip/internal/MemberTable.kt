package dev.carom.gossip.internal

import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import kotlin.random.Random

/** All that is kept about one address. */
internal class Record<I>(val address: Any, id: I, incarnation: Long, state: MemberState) {
    var id = id
        private set
    var incarnation = incarnation
        private set
    var state = state
        private set
    val active get() = state != MemberState.Down

    /** Place in the probe order. */
    var place = 0

    /** Hash of the identity's bytes, for comparing memberships. 0: not computed. */
    var digest = 0L
    var accuser: I? = null
    var suspicion: Suspicion? = null
    var rttNanos = -1L

    // Room for these is made when there is something to keep: most members of a large cluster have none of it.
    private var more: More? = null

    var metadata: ByteArray
        get() = more?.metadata ?: NO_BYTES
        set(value) {
            if (more != null || value.isNotEmpty()) more().metadata = value
        }
    var metadataVersion: Long
        get() = more?.metadataVersion ?: 0
        set(value) {
            if (more != null || value != 0L) more().metadataVersion = value
        }

    /** Version asked for and not yet received; 0: none. */
    var pulling: Long
        get() = more?.pulling ?: 0
        set(value) {
            if (more != null || value != 0L) more().pulling = value
        }

    /** When it became Down. */
    var downSince: Long
        get() = more?.downSince ?: 0
        set(value) {
            more().downSince = value
        }

    /** When it may be told again that it is believed dead. */
    var tellAgainAt: Long
        get() = more?.tellAgainAt ?: Long.MIN_VALUE
        set(value) {
            more().tellAgainAt = value
        }

    private fun more(): More = more ?: More().also { more = it }

    private class More {
        var metadata = NO_BYTES
        var metadataVersion = 0L
        var pulling = 0L
        var downSince = 0L
        var tellAgainAt = Long.MIN_VALUE
    }

    fun set(update: MemberUpdate<I>) {
        if (id != update.id) {
            id = update.id
            digest = 0
            metadata = NO_BYTES
            metadataVersion = 0
            pulling = 0
        }
        incarnation = update.incarnation
        state = update.state
        accuser = if (update.state == MemberState.Alive) null else update.accuser
    }

    fun update(): MemberUpdate<I> = MemberUpdate(id, incarnation, state, accuser, metadataVersion)
}

/** What came of one piece of news. */
internal class Applied<I>(
    val record: Record<I>?,
    val outcome: Outcome,
    val replaced: I? = null,
    val before: MemberState? = null,
) {
    val applied get() = outcome == Outcome.Inserted || outcome == Outcome.Changed

    /** A member went from active to not active, or the other way. */
    val turned get() = applied && record!!.active != (before != null && before != MemberState.Down)
}

internal enum class Outcome { Inserted, Changed, Unchanged, Lost, ConditionFailed, Absent, Full }

/**
 * The members, one record per address, in the order they are probed: shuffled after each walk, newcomers at a random
 * place, so that everyone is probed once per walk and nobody can foresee when.
 *
 * @param later whether the first of two identities of one address is the later life.
 */
internal class MemberTable<I>(
    private val random: Random,
    private val addressOf: (I) -> Any,
    private val later: (I, I) -> Boolean,
) {
    private val byAddress = HashMap<Any, Record<I>>()
    private val order = ArrayList<Record<I>>()
    private var cursor = 0

    var active = 0
        private set
    val size get() = order.size
    val records: List<Record<I>> get() = order

    fun find(address: Any): Record<I>? = byAddress[address]

    /** Takes in news; a newcomer only while there are fewer than [room] records. */
    fun apply(update: MemberUpdate<I>, room: Int = Int.MAX_VALUE): Applied<I> {
        val address = addressOf(update.id)
        val record = byAddress[address]
        return when {
            record != null -> change(record, update)

            order.size >= room -> Applied(null, Outcome.Full)

            else -> Applied(
                insert(Record(address, update.id, update.incarnation, update.state), update),
                Outcome.Inserted,
            )
        }
    }

    /** Takes in news about a known address, if [condition] holds for its record. */
    fun applyExistingIf(update: MemberUpdate<I>, condition: (Record<I>) -> Boolean): Applied<I> {
        val record = byAddress[addressOf(update.id)] ?: return Applied(null, Outcome.Absent)
        return change(record, update, condition)
    }

    /** Forgets a record, if it is Down. */
    fun removeIfDown(address: Any): Record<I>? {
        val record = byAddress[address]
        return if (record == null || record.active) null else remove(address)
    }

    fun remove(address: Any): Record<I>? {
        val record = byAddress.remove(address) ?: return null
        if (record.active) active--
        val last = order.removeAt(order.lastIndex)
        if (last !== record) {
            order[record.place] = last
            last.place = record.place
        }
        return record
    }

    /** Whom to probe next. */
    fun next(): Record<I>? {
        if (active == 0) return null
        if (cursor >= order.size) shuffle()
        val begin = cursor
        for (i in begin until order.size) {
            if (order[i].active) {
                cursor = i + 1
                return order[i]
            }
        }
        cursor = order.size
        return (0 until begin).firstNotNullOf { i -> order[i].takeIf { it.active } }
    }

    /** At most [count] random records that pass. */
    fun choose(count: Int, passes: (Record<I>) -> Boolean): List<Record<I>> {
        if (count <= 0 || order.isEmpty()) return emptyList()
        return if (order.size > SPARSE * count) guess(count, passes) else sample(count, passes)
    }

    /** In a big table a few guesses nearly always do. */
    private fun guess(count: Int, passes: (Record<I>) -> Boolean): List<Record<I>> {
        val chosen = ArrayList<Record<I>>(count)
        repeat(SPARSE * count) {
            val record = order[random.nextInt(order.size)]
            if (record !in chosen && passes(record)) {
                chosen += record
                if (chosen.size == count) return chosen
            }
        }
        return sample(count, passes)
    }

    /** Reservoir sampling (Vitter's algorithm R). */
    private fun sample(count: Int, passes: (Record<I>) -> Boolean): List<Record<I>> {
        val chosen = ArrayList<Record<I>>(minOf(count, order.size))
        var seen = 0
        for (record in order) {
            if (!passes(record)) continue
            seen++
            if (chosen.size < count) {
                chosen += record
            } else {
                val place = random.nextInt(seen)
                if (place < count) chosen[place] = record
            }
        }
        return chosen
    }

    private fun change(
        record: Record<I>,
        update: MemberUpdate<I>,
        condition: (Record<I>) -> Boolean = {
            true
        },
    ): Applied<I> {
        val before = record.state
        val old = record.id
        if (old != update.id) {
            if (later(old, update.id)) return Applied(record, Outcome.Lost, before = before)
            if (!condition(record)) return Applied(record, Outcome.ConditionFailed, before = before)
            put(record, update)
            return Applied(record, Outcome.Changed, replaced = old, before = before)
        }
        if (!condition(record)) return Applied(record, Outcome.ConditionFailed, before = before)
        if (!supersedes(record.state, record.incarnation, update.state, update.incarnation)) {
            return Applied(record, Outcome.Unchanged, before = before)
        }
        put(record, update)
        return Applied(record, Outcome.Changed, before = before)
    }

    private fun put(record: Record<I>, update: MemberUpdate<I>) {
        if (record.active) active--
        record.set(update)
        if (record.active) active++
    }

    private fun insert(record: Record<I>, update: MemberUpdate<I>): Record<I> {
        record.set(update)
        byAddress[record.address] = record
        record.place = order.size
        order += record
        swap(record.place, random.nextInt(order.size))
        if (record.active) active++
        return record
    }

    private fun shuffle() {
        for (i in order.lastIndex downTo 1) swap(i, random.nextInt(i + 1))
        cursor = 0
    }

    private fun swap(a: Int, b: Int) {
        val first = order[a]
        val second = order[b]
        order[a] = second
        order[b] = first
        second.place = a
        first.place = b
    }

    private companion object {
        /** A table this many times larger than what is wanted is guessed from. */
        const val SPARSE = 8
    }
}

package dev.carom.gossip.internal

import dev.carom.gossip.Identity
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.PacketKind
import dev.carom.gossip.SwimStatus

/** A running suspicion: shorter with each member that confirms it, up to [needed]. */
internal class Suspicion(
    private var since: Long,
    private val min: Long,
    private val max: Long,
    private val needed: Int,
    accuser: Any?,
) {
    private val accusers = HashSet<Any>().apply { accuser?.let { add(it) } }
    private val first = accusers.size

    val deadline: Long get() = since + suspicionNanos(accusers.size - first, needed, min, max)

    /** Counts [accuser]; false: known already, or enough are known. */
    fun confirm(accuser: Any): Boolean = accusers.size - first < needed && accusers.add(accuser)

    fun restart(now: Long) {
        since = now
    }

    fun postpone(nanos: Long) {
        since += nanos
    }
}

/** Gives suspects time to refute, and declares them dead when it is over. */
internal class Suspicions<I : Identity<I>>(private val node: Node<I>) {
    private val pending = LinkedHashSet<Record<I>>()

    /** When the first one is over. */
    var next = NEVER
        private set

    /** A record became suspect; only an accuser of its [own] times it in plain SWIM. */
    fun raise(record: Record<I>, own: Boolean) {
        val lifeguard = node.policy.lifeguard
        if (record.suspicion != null || !(own || lifeguard?.everyoneTimes == true)) return
        val min = node.policy.suspicionTimeout?.inWholeNanoseconds ?: suspicionNanosFor(
            node.clusterSize.toLong(),
            node.policy.suspicionMultiplier,
            node.policy.probePeriod.inWholeNanoseconds,
        )
        val wanted = if (node.codec.extended) lifeguard?.confirmations ?: 0 else 0
        // Two fewer than the cluster has: neither the suspect nor the accuser can confirm.
        val needed = if (node.clusterSize - 2 < wanted) 0 else wanted
        val max = if (needed > 0) min * lifeguard!!.suspicionFactor else min
        record.suspicion = Suspicion(node.now, min, max, needed, record.accuser?.address())
        pending += record
        next = minOf(next, record.suspicion!!.deadline)
    }

    /** One more accuses [record]; true: that is news. */
    fun confirm(record: Record<I>, accuser: I): Boolean {
        val suspicion = record.suspicion ?: return false
        if (!suspicion.confirm(accuser.address())) return false
        next = minOf(next, suspicion.deadline)
        return true
    }

    /** A record changed: what was suspected of it no longer counts. */
    fun settle(record: Record<I>): Unit = drop(record)

    fun drop(record: Record<I>) {
        if (record.suspicion == null) return
        record.suspicion = null
        pending -= record
        recount()
    }

    /** While we were alone nobody could refute: everyone gets the whole time again. */
    fun restart() {
        pending.forEach { it.suspicion?.restart(node.now) }
        recount()
    }

    /** We were not running for so long: refutations may be waiting at our door. */
    fun postpone(nanos: Long) {
        pending.forEach { it.suspicion?.postpone(nanos) }
        recount()
    }

    fun tick() {
        if (node.now < next || node.status != SwimStatus.Connected) return
        for (record in pending.filter { it.suspicion!!.deadline <= node.now }) expire(record)
        recount()
        node.membership.settle()
    }

    private fun expire(record: Record<I>) {
        val id = record.id
        val update = MemberUpdate(id, record.incarnation, MemberState.Down, node.identity)
        val applied = node.table.applyExistingIf(update) { it.id == id && it.state == MemberState.Suspect }
        node.membership.follow(applied, update, disseminate = true, via = null)
        drop(record)
        if (!applied.applied) return
        node.counters.declaredDown++
        // Only who was declared dead by this is told so; a member that refuted must not hear it.
        if (node.policy.notifyDown) node.mail.send(id, PacketKind.TurnUndead)
    }

    private fun recount() {
        next = pending.minOfOrNull { it.suspicion!!.deadline } ?: NEVER
    }
}

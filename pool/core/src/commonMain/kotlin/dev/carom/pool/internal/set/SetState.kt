package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.CloseReport
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.Removal
import dev.carom.pool.SetBackendSnapshot
import dev.carom.pool.SetBackendSnapshot.Status
import dev.carom.pool.SetNotice
import dev.carom.pool.SetPolicy
import dev.carom.pool.SetSnapshot
import dev.carom.pool.internal.Backoff
import dev.carom.pool.internal.set.SetEffect.Admit
import dev.carom.pool.internal.set.SetEffect.Check
import dev.carom.pool.internal.set.SetEffect.Connect
import dev.carom.pool.internal.set.SetEffect.Disconnect
import dev.carom.pool.internal.set.SetEffect.Retire
import dev.carom.pool.internal.set.SetEffect.Tell
import kotlin.random.Random
import kotlin.time.Duration

/**
 * Decides to which backends a set is connected.
 *
 *     backend:     Idle ──Connect──► Connecting ──Connected──► Live
 *                   ▲ ▲                  │                       │ Lost, Failed, a failed check: again after a backoff
 *                   │ └──────────────────┘ failed, not wanted    │ replaced, no longer listed
 *                   └────────────────────────────────────────────┘
 *     connection:  Live ──Retire──► Draining ──no leases, or the time is up──► Closing ──Ended──► gone
 *
 * After each event the connections are fitted to the [Plan]. [leases] says how many hold a connection.
 */
internal class SetState(
    private val policy: SetPolicy,
    private val preference: Preference,
    private val random: Random,
    private val leases: (Long) -> Int,
) {
    private val links = LinkedHashMap<Backend, Link>()
    private val owners = HashMap<Long, Link>()
    private val leftovers = LinkedHashMap<Long, Leftover>()
    private val effects = ArrayList<SetEffect>()
    private val closing = SetClosing(policy.closeTimeout)
    private var now = Duration.ZERO
    private var lastSlot = 0L
    private var plan = Plan.of(emptyList(), policy.target, preference.order)
    private val upkeep = SetUpkeep(policy, preference, links.values, leases, random)

    val open: Boolean get() = closing.graceEnd == null

    /** Set once everything is closed, or the time for that is up. */
    val report: CloseReport? get() = closing.report

    var nextDeadline: Duration? = null
        private set

    fun on(event: SetEvent, now: Duration): List<SetEffect> {
        effects.clear()
        this.now = now
        when (event) {
            is SetEvent.BackendsListed -> if (open) list(event.backends)
            is SetEvent.Connected -> connected(event.slot)
            is SetEvent.Ended -> ended(event.slot, event.cause)
            is SetEvent.Lost -> lost(event.slot, event.cause)
            is SetEvent.Failed -> broken(event.slot, Removal.Failed, event.cause)
            is SetEvent.Checked -> checked(event.slot, event.failure)
            is SetEvent.Drained -> cutLeftover(event.slot)
            is SetEvent.CloseRequested -> close(event.grace)
            SetEvent.Tick -> Unit
        }
        settle()
        return effects.toList()
    }

    fun snapshot(name: String, phase: PoolSnapshot.Phase): SetSnapshot {
        val shown = links.values.filter { it.listed || it.state !is LinkState.Idle || draining(it) > 0 }
        return SetSnapshot(name, phase, shown.sortedWith(preference.order).map(::describe), plan.chosen.size)
    }

    private fun describe(link: Link) = SetBackendSnapshot(
        link.backend,
        status = when (link.state) {
            LinkState.Idle -> Status.Idle
            is LinkState.Connecting -> Status.Connecting
            is LinkState.Live -> Status.Live
        },
        listed = link.listed,
        wanted = plan.chooses(link),
        down = link.down,
        sinceMillis = link.live?.since?.inWholeMilliseconds,
        draining = draining(link),
        attempts = link.attempts,
        failures = link.failures,
        lastError = link.lastError,
    )

    private fun draining(link: Link): Int = leftovers.values.count { it.link === link }

    private fun list(backends: Set<Backend>) {
        for (backend in backends) {
            val link = links[backend]
            if (link?.listed == true) continue
            if (link == null) {
                links[backend] = Link(backend, Backoff(policy.backoff, random), drawRank(backend.weight, random))
            } else {
                link.unlistedAt = null
                link.keptTold = false
            }
            tell(SetNotice.BackendAdded(backend))
        }
        for (link in links.values) {
            if (!link.listed || link.backend in backends) continue
            link.unlistedAt = now
            tell(SetNotice.BackendRemoved(link.backend, link.isLive))
        }
    }

    private fun connected(slot: Long) {
        val link = owners[slot] ?: return
        if (!link.isConnecting) return
        link.state = LinkState.Live(slot, now, upkeep.firstCheck(now))
        link.backoff.succeeded()
        link.down = false
        link.attempts = 0
        effects += Admit(slot)
        tell(SetNotice.Connected(slot, link.backend))
    }

    private fun ended(slot: Long, cause: Throwable?) {
        leftovers.remove(slot)?.let { gone ->
            val opened = gone !is Leftover.Closing || gone.opened
            if (!opened) gone.link.abandoned--
            closing.ended(slot, opened)
        }
        val link = owners.remove(slot) ?: return
        if (link.isLive) {
            // Its coroutine ended by itself: the scope's end.
            link.failed(cause, now)
            leave(link, Removal.Failed, cause)
        } else {
            link.failed(cause, now)
            link.attempts++
            val pause = (link.backoff.notBefore - now).coerceAtLeast(Duration.ZERO)
            tell(SetNotice.ConnectFailed(link.backend, link.attempts, pause.inWholeMilliseconds, cause))
        }
        link.state = LinkState.Idle
    }

    private fun lost(slot: Long, cause: Throwable?) {
        if (cause != null) return broken(slot, Removal.Failed, cause)
        val link = owners[slot] ?: return
        // A peer that accepts and hangs up again and again is down too; one that does so once is not.
        if (link.backoff.recentlyFailed(now)) link.failed(cause = null, now) else link.backoff.failed(now)
        drain(link, Removal.PeerClosed)
    }

    private fun broken(slot: Long, reason: Removal, cause: Throwable?) {
        val link = owners[slot] ?: return cutLeftover(slot)
        if (!link.isLive) return
        link.failed(cause, now)
        leave(link, reason, cause)
        leftovers[slot] = Leftover.Closing(link, opened = true)
        effects += Disconnect(slot)
    }

    private fun checked(slot: Long, failure: Throwable?) {
        val live = owners[slot]?.live ?: return
        if (failure != null) return broken(slot, Removal.CheckFailed, failure)
        live.checking = false
        live.nextCheck = upkeep.nextCheck(now)
    }

    private fun cutLeftover(slot: Long) {
        val leftover = leftovers[slot] as? Leftover.Draining ?: return
        cut(slot, leftover)
    }

    private fun close(grace: Duration) {
        val first = open
        closing.begin(now + grace)
        val end = closing.graceEnd ?: return
        if (first) {
            for (link in links.values) {
                if (link.isConnecting) abandon(link)
                if (link.isLive) drain(link, Removal.SetClosed)
            }
        }
        for (leftover in leftovers.values) {
            if (leftover is Leftover.Draining) leftover.deadline = minOf(leftover.deadline, end)
        }
    }

    private fun settle() {
        endDraining()
        if (open) {
            upkeep.shuffle(now)
            fit()
            for (slot in upkeep.dueChecks(now)) effects += Check(slot)
            links.values.removeAll { it.isForgotten() }
        } else {
            plan = Plan.of(emptyList(), policy.target, preference.order)
            closing.settle(now, leftovers.size)
        }
        nextDeadline = deadlines().filter { it.isFinite() }.minOrNull()
    }

    private fun endDraining() {
        for ((slot, leftover) in leftovers.toList()) {
            if (leftover is Leftover.Draining && leftover.deadline <= now) cut(slot, leftover)
        }
    }

    /** Its users have gone or had their time. */
    private fun cut(slot: Long, leftover: Leftover.Draining) {
        val forced = leases(slot)
        if (forced > 0) closing.forced(slot)
        leftovers[slot] = Leftover.Closing(leftover.link, opened = true)
        tell(SetNotice.Drained(slot, leftover.link.backend, forced))
        effects += Disconnect(slot)
    }

    private fun fit() {
        plan = Plan.of(links.values, policy.target, preference.order)
        for (link in links.values) {
            if (link.isConnecting && !plan.wants(link)) abandon(link)
        }
        for (link in plan.spare()) drain(link, if (link.listed) Removal.Replaced else Removal.Unlisted)
        for (link in plan.overdue(now, policy.replaceWithin)) {
            val live = link.live ?: continue
            if (links.values.count { it.isLive } > 1) {
                drain(link, Removal.Unlisted)
            } else if (!link.keptTold) {
                link.keptTold = true
                tell(SetNotice.Kept(live.slot, link.backend))
            }
        }
        connect()
    }

    private fun connect() {
        var busy = links.values.count { it.state !is LinkState.Idle }.toLong()
        val swapping = if (plan.hasExtras) 1 else 0
        for (link in plan.chosen) {
            if (busy >= policy.maximum.toLong() + swapping) break
            if (link.mayConnect(now)) connect(link).also { busy++ }
        }
        var probing = plan.probes.any { it.isConnecting }
        for (link in plan.probes) {
            // At least one at a time, or a better backend would never be found up again.
            if (busy >= policy.maximum.toLong() + if (probing) 0 else 1) break
            if (link.mayConnect(now)) {
                connect(link)
                busy++
                probing = true
            }
        }
    }

    private fun connect(link: Link) {
        val slot = ++lastSlot
        link.state = LinkState.Connecting(slot)
        owners[slot] = link
        effects += Connect(slot, link.backend)
    }

    /** Nobody was told of it, so nobody is told that it goes. */
    private fun abandon(link: Link) {
        val slot = (link.state as? LinkState.Connecting)?.slot ?: return
        link.state = LinkState.Idle
        link.abandoned++
        owners.remove(slot)
        leftovers[slot] = Leftover.Closing(link, opened = false)
        effects += Disconnect(slot)
    }

    private fun drain(link: Link, reason: Removal) {
        val slot = link.live?.slot ?: return
        leave(link, reason, cause = null)
        leftovers[slot] = Leftover.Draining(link, now + policy.drainTimeout)
    }

    private fun leave(link: Link, reason: Removal, cause: Throwable?) {
        val slot = link.live?.slot ?: return
        link.state = LinkState.Idle
        owners.remove(slot)
        effects += Retire(slot, reason, cause)
        val moved = reason == Removal.Replaced || reason == Removal.Unlisted
        val to = if (moved) plan.chosen.filter { it.isLive }.maxByOrNull { it.live?.slot ?: 0 }?.backend else null
        tell(SetNotice.Removed(slot, link.backend, reason, leases(slot), to, cause))
    }

    /** A backend that comes back soon finds its backoff as it was. */
    private fun Link.isForgotten(): Boolean =
        !listed && state is LinkState.Idle && draining(this) == 0 && !backoff.recentlyFailed(now)

    private fun deadlines(): List<Duration> = buildList {
        for (leftover in leftovers.values) if (leftover is Leftover.Draining) add(leftover.deadline)
        closing.deadline?.let { add(it) }
        if (!open) return@buildList
        for (link in plan.chosen + plan.probes) {
            if (link.state is LinkState.Idle && link.backoff.notBefore > now) add(link.backoff.notBefore)
        }
        for (link in links.values) {
            val live = link.live ?: continue
            if (!live.checking) add(live.nextCheck)
            link.unlistedAt?.let { if (!link.keptTold) add(it + policy.replaceWithin) }
        }
        if (upkeep.mayShuffle) add(upkeep.nextShuffle)
    }

    private fun tell(notice: SetNotice) {
        effects += Tell(notice)
    }
}

package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.BackendChoice
import dev.carom.pool.BackoffPolicy
import dev.carom.pool.ClaimOutcome
import dev.carom.pool.Fault
import dev.carom.pool.OutlierPolicy
import dev.carom.pool.PlacementPolicy
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolRecording
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.Retention
import dev.carom.pool.Role
import dev.carom.pool.backend
import dev.carom.pool.internal.record.Recorder
import dev.carom.pool.replayPool
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * Random honest worlds: the real state and the real desk, a network of the test's own, a clock it turns by hand.
 * After every step the invariants must hold; on failure the seed and the step are in the message.
 */
class PoolStateModelTest :
    FunSpec({
        val worlds = System.getProperty("carom.worlds")?.toIntOrNull() ?: 2_000

        test("in $worlds random worlds the invariants hold after every step") {
            for (seed in 1..worlds) World(seed).live(steps = 150)
        }

        test("200 random worlds, recorded, are replayed decision for decision") {
            for (seed in 1..200) {
                val lines = ArrayList<String>()
                val told = World(seed, lines::add).live(steps = 150)
                val replay = replayPool(lines)
                withClue("seed $seed: ${replay.divergence}") {
                    replay.identical shouldBe true
                    replay.steps shouldBe lines.size - 1
                    replay.notices.map { it.text } shouldBe told
                }
            }
        }
    })

private class World(private val seed: Int, recording: PoolRecording? = null) : DeskEvents {
    private val random = Random(seed)
    private val hooks =
        Hooks(recycle = random.nextInt(4) == 0, valid = random.nextBoolean(), role = random.nextBoolean())
    private val policy = randomPolicy(random)
    private val backends = (0 until random.nextInt(1, 6)).map {
        backend("b$it", priority = random.nextInt(2), weight = random.nextInt(3))
    }
    private val healthy = backends.associateWithTo(mutableMapOf()) { random.nextInt(4) > 0 }
    private val start = Dispatchers.Unconfined
    private val scope = CoroutineScope(start)
    private var now = Duration.ZERO
    private val clock = CoarseClock(HandClock { now }) {}
    private val rules = DeskRules(policy.ceiling, policy.reserved, cleans = hooks.recycle)
    private val desk = ClaimDesk<Connection>(rules, clock, this)
    private val jostled = Jostled()
    private val recorder =
        recording?.let { Recorder(it, jostled, Random(seed)).apply { begin("world", policy, hooks) } }
    private val state = PoolState(policy, recorder?.lending ?: jostled, recorder?.random ?: Random(seed), hooks)
    private val told = ArrayList<String>()

    private class Connection(val slot: Long, val backend: Backend) {
        var open = true
        var users = 0
    }

    private sealed interface Task {
        val backend: Backend
        val index: Int
    }

    private class Connecting(override val backend: Backend, override val index: Int, val meter: Meter) : Task

    private class Open(override val backend: Backend, override val index: Int, val line: Line<Connection>) : Task {
        var hook: String? = null
    }

    private class Closing(override val backend: Backend, override val index: Int, val connection: Connection?) : Task

    private val tasks = LinkedHashMap<Long, Task>()
    private val pending = ArrayDeque<PoolEvent>()
    private class Caller(val number: Int, val request: Request, val lease: Deferred<Lease<Connection>>)

    private val waiters = ArrayList<Caller>()
    private val holders = ArrayList<Pair<Lease<Connection>, Connection>>()
    private var arrivals = 0
    private var paused = false
    private val lastServed = HashMap<String, Int>()
    private val log = ArrayList<String>()
    private var closing = false

    /** Callers take and give back while the state decides, just when it looks or reaches for a connection. */
    private inner class Jostled : Lending by desk {
        var deciding = false

        override fun isFree(index: Int): Boolean = desk.isFree(index).also { jostle() }

        override fun recall(index: Int): Boolean {
            jostle()
            return desk.recall(index)
        }

        private fun jostle() {
            if (!deciding || random.nextInt(6) > 0) return
            if (random.nextBoolean()) {
                desk.take("hasty")?.let(::hold)
            } else {
                release { it.close() }
            }
        }
    }

    override fun returned(slot: Long, outcome: Outcome) {
        pending += PoolEvent.Returned(slot, outcome)
    }

    override fun ranLow() {
        pending += PoolEvent.RanLow
    }

    override fun deadlineMoved() = Unit

    override fun closed(refused: Int) = Unit

    override fun reported(slot: Long, fault: Fault, cause: Throwable?) {
        pending += PoolEvent.Reported(slot, fault, cause)
    }

    override fun classify(cause: Throwable): Fault = Fault.entries.random(random)

    override fun shed(waiter: Waiter<*>, waiting: Int, waited: Duration): Throwable = Broken()

    /** Returns what was told. */
    fun live(steps: Int): List<String> {
        try {
            give(PoolEvent.BackendsListed(backends.filter { random.nextBoolean() }.toSet()))
            repeat(steps) { step() }
            drain()
            return told
        } catch (e: Throwable) {
            throw AssertionError(
                "seed $seed, policy $policy, hooks ${hooks.recycle} ${hooks.valid} ${hooks.role}, last steps:\n" +
                    log.takeLast(80).joinToString("\n"),
                e,
            )
        } finally {
            scope.cancel()
        }
    }

    private fun step() {
        now += random.nextInt(0, 400).milliseconds
        when (random.nextInt(24)) {
            0 -> give(PoolEvent.BackendsListed(backends.filter { random.nextInt(3) > 0 }.toSet()))
            1 -> backends.random(random).let { healthy[it] = random.nextBoolean() }
            2, 3, 4 -> claim()
            5, 6 -> release { it.close() }
            7 -> release { it.discard(if (random.nextBoolean()) Broken() else null) }
            8 -> release { it.end(Outcome.NotPrepared(Broken())) }
            9 -> cancelWaiter()
            10 -> hangUp()
            11 -> now += random.nextInt(1, 60).seconds
            12 -> give(PoolEvent.ReadyAwaited(random.nextInt(1, policy.maxSlots + 1)))
            13 -> report()
            14 -> operate()
            15 -> pause(random.nextInt(4) == 0)
            else -> progress()
        }
        settle()
        check()
    }

    /** Things that were ordered come true, in any order between slots. */
    private fun progress() {
        val (slot, task) = tasks.entries.randomOrNull(random) ?: return
        when (task) {
            is Connecting -> if (healthy.getValue(task.backend)) connected(slot, task) else ended(slot, Broken())

            is Open -> if (task.hook != null) finishHook(slot, task)

            is Closing -> {
                task.connection?.open = false
                ended(slot, null)
            }
        }
    }

    private fun finishHook(slot: Long, task: Open) {
        val failure = if (random.nextInt(4) == 0) Broken() else null
        val hook = task.hook
        task.hook = null
        val probe = if (failure == null) probe(task.line.meter) else null
        give(if (hook == "check") PoolEvent.Checked(slot, failure, probe) else PoolEvent.Recycled(slot, failure))
    }

    private fun connected(slot: Long, task: Connecting) {
        val line = Line(slot, task.index, task.backend, task.meter, Connection(slot, task.backend), desk)
        tasks[slot] = Open(task.backend, task.index, line)
        desk.admit(line)
        assign()
        give(PoolEvent.Connected(slot, probe(task.meter)))
    }

    private fun assign() {
        val backends = tasks.values.filterIsInstance<Open>().groupBy { it.backend }.values
        val latency = policy.placement.choice == BackendChoice.LeastLatency
        desk.assign(
            backends.map { open ->
                open.map { it.index }
            },
            backends.map { it[0].line.meter }.takeIf { latency },
        )
    }

    private fun probe(meter: Meter) =
        if (hooks.role) Probe(Role.entries.random(random), meter.demotions - random.nextInt(2)) else null

    private fun report() {
        val (lease) = holders.randomOrNull(random) ?: return
        if (random.nextInt(3) == 0) {
            lease.report(Broken())
        } else {
            repeat(random.nextInt(6)) {
                lease.report(ClaimOutcome.entries.random(random), random.nextLong(1, 1_000_000))
            }
        }
    }

    private fun operate() {
        val backend = backends.random(random)
        when (random.nextInt(4)) {
            0 -> give(PoolEvent.DrainRequested(backend))

            1 -> give(PoolEvent.DrainRevoked(backend))

            2 -> give(PoolEvent.EvictRequested(backend.takeIf { random.nextBoolean() }))

            else -> {
                val max = random.nextInt(policy.reserved + 1, policy.ceiling + 1)
                give(PoolEvent.LimitsSet(random.nextInt(0, max + 1), max))
            }
        }
    }

    private fun pause(paused: Boolean) {
        this.paused = paused
        desk.pause(paused)
    }

    private fun ended(slot: Long, cause: Throwable?) {
        tasks.remove(slot)
        give(PoolEvent.Ended(slot, cause))
    }

    private fun claim(picky: Boolean = true) {
        val number = arrivals++
        val request = request("caller $number", picky)
        val ready = if (request.easy && !request.reserved) desk.take("caller $number") else desk.take(request)
        if (ready != null) {
            expect(desk.waiting == 0) { "caller $number overtook ${desk.waiting} waiters" }
            hold(ready)
            return
        }
        waiters +=
            Caller(number, request, scope.async(start = CoroutineStart.UNDISPATCHED) { desk.await(request, now) })
    }

    private fun request(who: String, picky: Boolean): Request {
        val deadline = now + policy.claimTimeout
        val reserved = random.nextInt(8) == 0
        return when (if (picky) random.nextInt(8) else 7) {
            0 -> Request(who, policy.claimTimeout, deadline, reserved, role = Role.Primary)
            1 -> backends.random(random).let { b -> Request(who, policy.claimTimeout, deadline, reserved) { it == b } }
            else -> Request(who, policy.claimTimeout, deadline, reserved)
        }
    }

    private fun hold(lease: Lease<Connection>) {
        val connection = lease.connection
        expect(++connection.users == 1) { "connection of slot ${connection.slot} is lent twice" }
        expect(connection.open) { "a closed connection of slot ${connection.slot} is lent" }
        holders += lease to connection
    }

    private fun release(how: (Lease<Connection>) -> Unit) {
        val held = holders.randomOrNull(random) ?: return
        holders -= held
        held.second.users--
        how(held.first)
        if (random.nextBoolean()) held.first.close()
    }

    private fun cancelWaiter() {
        val waiter = waiters.randomOrNull(random) ?: return
        waiters -= waiter
        waiter.lease.cancel()
    }

    private fun hangUp() {
        val (slot, _) = tasks.entries.filter { it.value is Open }.randomOrNull(random) ?: return
        give(PoolEvent.Lost(slot, if (random.nextBoolean()) Broken() else null))
    }

    private fun settle() {
        givePending()
        if (state.nextDeadline?.let { it <= now } == true) give(PoolEvent.Tick)
        desk.expire(now) { Broken() }
        desk.lowTold = !state.mayGrow
        desk.lowWater = policy.spares / 2
        givePending()
    }

    private fun givePending() {
        collectGrants()
        while (pending.isNotEmpty()) {
            give(pending.removeFirst())
            collectGrants()
        }
    }

    private fun collectGrants() {
        val done = waiters.filter { it.lease.isCompleted }
        waiters -= done.toSet()
        for (caller in done) {
            if (caller.lease.getCompletionExceptionOrNull() != null) continue
            // Among those who take anything, within a lane, nobody is overtaken.
            if (caller.request.easy) {
                val lane = if (caller.request.reserved) "reserved" else "normal"
                expect(caller.number > (lastServed[lane] ?: -1)) {
                    "caller ${caller.number} was served late: $lastServed"
                }
                lastServed[lane] = caller.number
            }
            hold(caller.lease.getCompleted())
        }
    }

    private fun give(event: PoolEvent) {
        log += "$now $event"
        jostled.deciding = true
        val effects = recorder?.decide(state, event, now) ?: state.on(event, now)
        jostled.deciding = false
        for (effect in effects) {
            log += "        $effect"
            perform(effect)
        }
    }

    private fun perform(effect: PoolEffect) {
        when (effect) {
            is PoolEffect.Connect -> {
                expect(effect.slot !in tasks) { "slot ${effect.slot} connects twice" }
                expect(!closing) { "a connect after closing began" }
                tasks[effect.slot] = Connecting(effect.backend, effect.index, effect.meter)
            }

            is PoolEffect.Disconnect -> disconnect(effect.slot)

            is PoolEffect.Check -> hook(effect.slot, "check")

            is PoolEffect.Recycle -> hook(effect.slot, "recycle")

            is PoolEffect.Lend -> desk.offer((tasks.getValue(effect.slot) as Open).line)

            is PoolEffect.Reconsider -> desk.reconsider()

            is PoolEffect.Tell -> told += effect.notice.toString()
        }
    }

    private fun hook(slot: Long, name: String) {
        val task = tasks.getValue(slot) as Open
        expect(task.line.connection.users == 0) { "$name of slot $slot while it is on loan" }
        expect(!desk.isFree(task.index)) { "$name of slot $slot while it is free" }
        task.hook = name
    }

    private fun disconnect(slot: Long) {
        val task = tasks.getValue(slot)
        val connection = (task as? Open)?.line?.connection
        expect(connection == null || connection.users == 0 || forcing || policy.drainTimeout.isFinite()) {
            "slot $slot is closed under its holder"
        }
        expect(task !is Open || !desk.isFree(task.index)) { "slot $slot is closed while it is free for all" }
        expect(task !is Closing) { "slot $slot is closed twice" }
        tasks[slot] = Closing(task.backend, task.index, connection)
    }

    private var forcing = false

    private fun check() {
        val snapshot = state.snapshot("model", 0, PoolSnapshot.Phase.Open)
        expect(tasks.size <= policy.ceiling) { "${tasks.size} slots of at most ${policy.ceiling}" }
        expect(snapshot.slots <= policy.ceiling) { "$snapshot has ${snapshot.slots} slots" }
        expect(snapshot.slots >= tasks.size) { "${tasks.size} coroutines, but ${snapshot.slots} slots" }
        val open = tasks.values.count { it is Open }
        expect(snapshot.connected == open) { "$open open connections, but the snapshot says ${snapshot.connected}" }
        expect(snapshot.opened == snapshot.closed + open) {
            "${snapshot.opened} opened, ${snapshot.closed} closed, but $open open"
        }
        expect(snapshot.claimed == holders.count { it.second.open && !closes(it.second) }) {
            "${holders.size} holders, but the snapshot says ${snapshot.claimed}: ${snapshot.backends}, $tasks"
        }
        for (caller in waiters) {
            if (paused && !caller.request.reserved) continue
            val fit = tasks.values.find { it is Open && desk.isFree(it.index) && caller.request.suits(it.line) }
            expect(fit == null) { "caller ${caller.number} waits while a connection to ${fit?.backend} is free" }
        }
        for ((lease, connection) in holders) {
            expect(connection.open || policy.drainTimeout.isFinite()) { "$lease lost its connection" }
            expect(lease.connection === connection) { "$lease has another connection" }
        }
        for (backend in snapshot.backends) {
            expect(backend.slots <= maxOf(policy.maxSlotsPerBackend, 1) || backend.claimed > 0 || backend.closing > 0) {
                "${backend.slots} slots of $backend, of at most ${policy.maxSlotsPerBackend}"
            }
        }
        checkRoom()
    }

    /** What can be done for a backend that has too little is done at once, or when the next connection comes back. */
    private fun checkRoom() {
        val slots = state.sets.flatMap { it.slots }
        for (slot in slots.filter { it.yields }) {
            expect(slot.state.returns) { "slot ${slot.id} yields, but is ${slot.state}" }
            if (slot.state !is SlotState.Ready) continue
            expect((tasks[slot.id] as Open).line.recalled) { "slot ${slot.id} yields, but is not recalled" }
        }
        if (!state.open || slots.any { it.state is SlotState.Closing }) return
        val enrolled = state.sets.filter { it.enrolled }
        val without = enrolled.filter { it.fair > 0 && it.live == 0 }
        expect(without.isEmpty() || state.spares == 0 || slots.size >= state.maxSlots) {
            "${without.map { it.backend }} got nothing of ${state.maxSlots} slots, of which there are ${slots.size}"
        }
        if (slots.size < state.maxSlots || enrolled.none { it.live < it.fair }) return
        for (set in enrolled.filter { it.live > maxOf(it.fair, if (it.active) 1 else 0) }) {
            val staying = set.slots.filter { it.state.returns && !it.yields }
            expect(staying.isEmpty()) {
                "slots ${staying.map { it.id }} of ${set.backend} stay; of ${slots.size} slots there are " +
                    enrolled.map { "${it.live} of ${it.fair} to ${it.backend}" }
            }
        }
    }

    private fun closes(connection: Connection) = tasks[connection.slot] is Closing

    /** At the end: a healthy world serves whoever waits; then everything closes. */
    private fun drain() {
        while (holders.isNotEmpty()) {
            release { it.close() }
            settle()
        }
        backends.forEach { healthy[it] = true }
        pause(false)
        backends.forEach { give(PoolEvent.DrainRevoked(it)) }
        settle()
        waiters.filter { !it.request.easy }.forEach { it.lease.cancel() }
        waiters.removeAll { !it.request.easy }
        give(PoolEvent.LimitsSet(policy.spares, policy.maxSlots))
        give(PoolEvent.BackendsListed(backends.toSet()))
        repeat(4) { claim(picky = false) }
        runUntil("waiting claims are served") {
            while (holders.isNotEmpty()) release { it.close() }
            waiters.isEmpty()
        }
        closing = true
        desk.close { Broken() }
        give(PoolEvent.CloseRequested)
        forcing = true
        give(PoolEvent.GraceEnded)
        runUntil("everything is closed") { tasks.isEmpty() && state.slots == 0 }
    }

    private fun runUntil(what: String, done: () -> Boolean) {
        repeat(20_000) {
            if (done()) return
            if (it % 50 == 49) now += 1.minutes.coerceAtMost(policy.claimTimeout / 4)
            progress()
            settle()
            if (!closing) check()
        }
        throw AssertionError(
            "$what: never; $tasks, waiting ${desk.waiting}, ${state.snapshot("m", 0, PoolSnapshot.Phase.Open)}",
        )
    }

    private inline fun expect(condition: Boolean, message: () -> String) {
        if (!condition) throw AssertionError(message())
    }
}

private class Broken : RuntimeException("broken")

private class HandClock(private val now: () -> Duration) : kotlin.time.TimeMark {
    override fun elapsedNow(): Duration = now()
}

private fun randomPolicy(random: Random): PoolPolicy {
    val max = if (random.nextInt(8) == 0) random.nextInt(60, 140) else random.nextInt(1, 20)
    return PoolPolicy(
        spares = random.nextInt(0, max + 1),
        maxSlots = max,
        maxSlotsPerBackend = if (random.nextBoolean()) Int.MAX_VALUE else random.nextInt(1, max + 1),
        claimTimeout = 60.seconds,
        connectParallelism = random.nextInt(1, 6),
        healthInterval = if (random.nextBoolean()) 5.seconds else Duration.INFINITE,
        healthReserve = random.nextInt(0, 2).coerceAtMost(max),
        backoff = BackoffPolicy(start = 20.milliseconds, max = 5.seconds, memory = 10.seconds),
        maxLifetime = if (random.nextBoolean()) 20.seconds else Duration.INFINITE,
        rebalanceInterval = 10.seconds,
        shrinkInterval = 1.seconds,
        reserved = if (random.nextInt(4) == 0) random.nextInt(0, max) else 0,
        ceiling = max + random.nextInt(0, 4),
        connectRate = if (random.nextInt(4) == 0) 2.0 else Double.POSITIVE_INFINITY,
        idleTimeout = if (random.nextInt(4) == 0) 5.seconds else Duration.INFINITE,
        drainTimeout = if (random.nextInt(4) == 0) 5.seconds else Duration.INFINITE,
        retention = Retention.entries.random(random),
        outlier = OutlierPolicy(failuresInARow = 3, minimumReports = 5, interval = 2.seconds, ejection = 3.seconds),
        placement = PlacementPolicy(
            spillBelow = if (random.nextBoolean()) 0.6 else 0.0,
            hold = 2.seconds,
            subset = if (random.nextInt(4) == 0) random.nextInt(1, 4) else Int.MAX_VALUE,
            decoherence = 3.seconds,
            choice = BackendChoice.entries.random(random),
            slowStart = if (random.nextInt(4) == 0) 3.seconds else Duration.ZERO,
        ),
    )
}

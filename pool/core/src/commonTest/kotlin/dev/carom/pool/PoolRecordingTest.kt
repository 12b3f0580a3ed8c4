package dev.carom.pool

import dev.carom.pool.internal.Hooks
import dev.carom.pool.internal.PoolEvent
import dev.carom.pool.internal.PoolState
import dev.carom.pool.internal.record.LineReader
import dev.carom.pool.internal.record.NoLending
import dev.carom.pool.internal.record.Recorder
import dev.carom.pool.internal.record.policy
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

class PoolRecordingTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b", weight = 2)
        val c = Backend("c", "10.0.0.9", 9, 1, 1, "c, \u00e9\t\\ -", mapOf("zone" to "z\n1", "" to "-"))

        test("a busy pool, recorded, is replayed decision for decision, to the last notice") {
            val run = recorded(a, b, c)
            val replay = replayPool(run.lines)
            replay.divergence shouldBe null
            replay.identical shouldBe true
            replay.name shouldBe "busy\tpool"
            replay.steps shouldBe run.lines.size - 1
            replay.notices.map { it.text } shouldBe run.decided
            replay.notices.zipWithNext { x, y -> y.atNanos >= x.atNanos && y.line >= x.line } shouldBe
                List(replay.notices.size - 1) { true }
            val kinds = run.lines.drop(1).map { it.split('\t')[2] }.toSet()
            val expected = "listed connected ended lost checked returned reported drain undrain evict limits tick close"
            (expected.split(' ') - kinds).shouldBeEmpty()
            run.decided.count { "ejected" in it } shouldBeGreaterThan 0
        }

        test("lines are printable ASCII, one per input, and tell nothing of who claims") {
            val lines = recorded(a, b, c).lines
            lines.all { line -> line.all { it in ' '..'~' || it == '\t' } } shouldBe true
            lines.size shouldBeGreaterThan 200
            lines.joinToString() shouldNotContain "holder of a secret"
        }

        test("a decision that was recorded otherwise is a divergence, told with its line and both texts") {
            val lines = recorded(a, b, c).lines
            val at = lines.indexOfLast { "ejected" in it }
            val replay = replayPool(
                lines.mapIndexed { i, line ->
                    if (i ==
                        at
                    ) {
                        line.replace("ejected", "left")
                    } else {
                        line
                    }
                },
            )
            val divergence = replay.divergence.shouldNotBeNull()
            divergence.line shouldBe at + 1
            divergence.recorded shouldContain "left"
            divergence.replayed shouldContain "ejected"
            replay.steps shouldBe at
        }

        test("an event or an answer that was another is a divergence at its line") {
            val lines = recorded(a, b, c).lines
            val connected = lines.indexOfFirst { "\tconnected\t" in it }
            fun divergence(at: Int, change: (String) -> String): Int? =
                replayPool(lines.toMutableList().also { it[at] = change(it[at]) }.asSequence()).divergence?.line
            divergence(connected) { it.replace("\tconnected\t1\t", "\tconnected\t2\t") } shouldBe connected + 1
            val asked = lines.indexOfFirst { "\twaiting=0" in it }
            divergence(asked) { it.replaceFirst("\twaiting=0", "\tloans=0") } shouldBe asked + 1
            divergence(asked) { it.replaceFirst("\twaiting=0", "\twaiting=9000") } shouldBe asked + 1
            // The dice of another seed fall otherwise, sooner or later.
            val header = lines[0].split('\t')
            val seeded = (header.take(3) + "77" + header.drop(4)).joinToString("\t")
            replayPool(listOf(seeded) + lines.drop(1)).identical shouldBe false
        }

        test("a recording that breaks off after any line is whole as far as it goes") {
            val lines = recorded(a).lines
            for (size in 1..lines.size step 7) {
                replayPool(lines.take(size) + "").let { it.identical to it.steps } shouldBe (true to size - 1)
            }
        }

        test("damage is found and told with its line") {
            val lines = recorded(a).lines
            fun damage(lines: List<String>) = shouldThrow<PoolRecordingException> { replayPool(lines) }
            damage(emptyList()).line shouldBe 1
            damage(lines.drop(1)).message shouldContain "line 1 of the recording is damaged"
            damage(lines.take(5) + lines.drop(6)).let {
                it.line shouldBe 6
                it.message shouldContain "event 6, but event 5 should follow"
            }
            for (at in intArrayOf(0, 1, 2, lines.lastIndex)) {
                for (length in 1 until lines[at].length) {
                    damage(lines.toMutableList().also { it[at] = it[at].take(length) }).line shouldBe at + 1
                }
            }
            val others = mapOf("\tlisted\t1" to "\tlisted\t99", "\tlisted" to "\tno event", "10.0.0.a,1000" to ",x")
            for ((found, other) in others) {
                val at = lines.indexOfFirst { found in it }
                damage(lines.toMutableList().also { it[at] = it[at].replaceFirst(found, other) }).line shouldBe at + 1
            }
            damage(lines.map { it.replace("carom-pool-recording\t1", "carom-pool-recording\t2") }).line shouldBe 1
        }

        test("whatever one character is changed to, the replay diverges, ends well or says the line is damaged") {
            val lines = recorded(a, b).lines.take(60)
            val random = Random(5)
            repeat(2_000) {
                val changed = lines.toMutableList()
                val at = random.nextInt(lines.size)
                val i = random.nextInt(lines[at].length)
                changed[at] = lines[at].replaceRange(i, i + 1, "019-\t\\,.ax=*".random(random).toString())
                try {
                    replayPool(changed).divergence?.let { (it.line > at) shouldBe true }
                } catch (e: PoolRecordingException) {
                    (e.line > at) shouldBe true
                }
            }
        }

        test("a sink that throws gets nothing more, and the pool goes on") {
            val lines = ArrayList<String>()
            val sink = PoolRecording { if (lines.size < 10) lines.add(it) else error("the disk is full") }
            val whole = recorded(a, sink = sink)
            lines shouldHaveSize 10
            replayPool(lines).identical shouldBe true
            whole.decided shouldContain "draining a (10.0.0.a:1000)"
        }

        test("a policy with no value at its default is read as it was written") {
            val lines = ArrayList<String>()
            val recorder = Recorder(lines::add, NoLending, Random(1))
            recorder.begin("p", ODD, Hooks(acquire = true, role = true))
            val state = PoolState(ODD, recorder.lending, recorder.random, Hooks(acquire = true, role = true))
            recorder.decide(state, PoolEvent.BackendsListed(setOf(a, c)), 1.nanoseconds)
            replayPool(lines).identical shouldBe true
            val header = LineReader(lines[0])
            repeat(5) { header.plain() }
            header.policy().toString() shouldBe ODD.toString()
        }
    })

private class Recorded(val lines: List<String>, val decided: List<String>)

private val ODD = PoolPolicy(
    spares = 3,
    maxSlots = 7,
    maxSlotsPerBackend = 5,
    claimTimeout = Duration.INFINITE,
    connectTimeout = 1_234_567.nanoseconds,
    acquireTimeout = 2.seconds,
    checkTimeout = 4.seconds,
    recycleTimeout = 5.seconds,
    closeTimeout = 6.seconds,
    connectParallelism = 2,
    healthInterval = 7.seconds,
    healthReserve = 2,
    backoff = BackoffPolicy(21.milliseconds, 22.seconds, 0.25, 23.seconds),
    // More than nanoseconds can say.
    maxLifetime = 100_000.days,
    lifetimeJitter = 0.3,
    rebalanceInterval = 61.seconds,
    shrinkInterval = 8.seconds,
    maxWaiters = 9,
    queue = QueuePolicy.ControlledDelay(51.milliseconds, 101.milliseconds),
    reserved = 1,
    ceiling = 11,
    connectRate = 1.5,
    authBackoff = BackoffPolicy(31.milliseconds, 32.seconds, 0.75, 33.seconds),
    idleTimeout = 62.seconds,
    drainTimeout = 63.seconds,
    retention = Retention.Forever,
    roleInterval = 64.seconds,
    lease = LeasePolicy(65.seconds, 66.seconds, 67, NestedClaims.Allow),
    outlier = OutlierPolicy(6, 0.7, 21, 11.seconds, 12.seconds, 13.minutes, 0.8),
    placement = PlacementPolicy("z\n1", 0.5, 14.seconds, 3, 15.seconds, BackendChoice.LeastLatency, 16.seconds),
    noticeBuffer = 257,
)

/** A minute in the life of a pool, with everything in it. */
private fun recorded(vararg backends: Backend, sink: PoolRecording? = null): Recorded {
    val lines = ArrayList<String>()
    val told = ArrayList<PoolNotice>()
    runTest { busyMinute(backends.toSet(), sink ?: PoolRecording { lines.add(it) }, told) }
    // What is no decision of the state's is not replayed.
    val decided = told.filter { notice ->
        notice !is PoolNotice.ClaimRefused && notice !is PoolNotice.PoolClosed && notice !is PoolNotice.Paused &&
            notice !is PoolNotice.CloseFailed && notice !is PoolNotice.ClaimNested
    }
    return Recorded(lines, decided.map { it.toString() })
}

private suspend fun TestScope.busyMinute(backends: Set<Backend>, sink: PoolRecording, told: MutableList<PoolNotice>) {
    val network = FakeNetwork()
    network.connectDelay = 3.milliseconds
    network.closeDelay = 1.milliseconds
    val listed = MutableStateFlow(backends)
    val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
    val policy = PoolPolicy(
        spares = 3,
        maxSlots = 8,
        ceiling = 12,
        healthInterval = 2.seconds,
        shrinkInterval = 500.milliseconds,
        maxLifetime = 20.seconds,
        claimTimeout = 400.milliseconds,
        noticeBuffer = 65_536,
        outlier = OutlierPolicy(failuresInARow = 3, ejection = 2.seconds),
        placement = PlacementPolicy(zone = "z\n1", spillBelow = 0.6, hold = 1.seconds),
    )
    val pool = scope.openPool(
        "busy\tpool",
        listed.asResolver(),
        network,
        policy,
        sink,
        testScheduler.timeSource,
        Random(7),
    )
    launch { pool.notices.collect { told.add(it) } }
    val random = Random(3)
    val load = launch {
        while (true) {
            launch { claimOnce(pool, random) }
            delay(random.nextInt(1, 60).milliseconds)
        }
    }
    trouble(pool, network, listed, backends)
    load.cancelAndJoin()
    pool.close(100)
    scope.coroutineContext[Job]!!.cancelAndJoin()
}

private suspend fun claimOnce(pool: Pool<FakeConnection>, random: Random) {
    try {
        val claim = pool.claim("holder of a secret")
        try {
            delay(random.nextInt(0, 300).milliseconds)
            when (random.nextInt(12)) {
                in 0..1 -> claim.report(IllegalStateException("line 1\nline 2\tand \u00fc, \ud83d \\n"))
                2 -> claim.discard(IllegalStateException("-"))
                3 -> claim.discard()
                in 4..6 -> claim.report(ClaimOutcome.Failure, 1_000)
                else -> claim.report(ClaimOutcome.Success, 1_000_000)
            }
        } finally {
            claim.close()
        }
    } catch (_: PoolException) {
        // Refused: so it goes.
    }
}

private suspend fun trouble(
    pool: Pool<FakeConnection>,
    network: FakeNetwork,
    listed: MutableStateFlow<Set<Backend>>,
    backends: Set<Backend>,
) {
    val first = backends.first()
    delay(5.seconds)
    network.set(first, FakeNetwork.Mode.Refusing)
    network.live.filter { it.backend == first }.forEach { it.hangUp(IllegalStateException("reset\u2028")) }
    delay(10.seconds)
    network.set(first, FakeNetwork.Mode.Up)
    pool.limit(2, 12)
    delay(5.seconds)
    pool.drain(first)
    delay(3.seconds)
    pool.undrain(first)
    listed.value = backends.drop(1).toSet()
    delay(5.seconds)
    listed.value = backends
    pool.evict()
    delay(2.seconds)
    pool.evict(first)
    pool.limit(1, 4)
    network.valid = { false }
    delay(20.seconds)
    network.valid = { true }
    delay(10.seconds)
}

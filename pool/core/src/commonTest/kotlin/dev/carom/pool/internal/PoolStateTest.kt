package dev.carom.pool.internal

import dev.carom.pool.BackoffPolicy
import dev.carom.pool.PoolPolicy
import dev.carom.pool.backend
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** This event, at this time: exactly these effects. */
class PoolStateTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val one = PoolPolicy(spares = 1, maxSlots = 1, healthReserve = 0)

        test("a new backend: one slot for each spare, connects at once, at most so many as the policy says") {
            Steps(PoolPolicy(spares = 3, maxSlots = 4, connectParallelism = 2)).run {
                on(PoolEvent.BackendsListed(setOf(a))) shouldBe listOf(
                    "backend added: a (10.0.0.a:1000)",
                    "priority none -> 0: the resolver's list changed",
                    "rebalanced to 3 of at most 4 slots: the resolver's list changed",
                    "slot 1 of a (10.0.0.a:1000): new -> BackingOff: the resolver's list changed",
                    "slot 2 of a (10.0.0.a:1000): new -> BackingOff: the resolver's list changed",
                    "slot 3 of a (10.0.0.a:1000): new -> BackingOff: the resolver's list changed",
                    "slot 1 of a (10.0.0.a:1000): BackingOff -> Connecting: its turn",
                    "Connect(slot=1)",
                    "slot 2 of a (10.0.0.a:1000): BackingOff -> Connecting: its turn",
                    "Connect(slot=2)",
                )
                orders(PoolEvent.Connected(1)) shouldBe listOf("Connect(slot=3)", "Lend(slot=1)")
            }
        }

        test("the same list again: nothing") {
            Steps(one).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.BackendsListed(setOf(a))) shouldBe emptyList()
            }
        }

        test("a failed connect backs off, and the next one is due when the wait is over, not before") {
            Steps(one).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Ended(1, Refused())) shouldBe listOf(
                    "slot 1 of a (10.0.0.a:1000): Connecting -> BackingOff: connect failed: Refused: no",
                    "backend down: a (10.0.0.a:1000): connect failed: Refused: no",
                )
                val due = checkNotNull(state.nextDeadline)
                (due > now && due <= now + one.backoff.start) shouldBe true
                now = due - 1.milliseconds
                orders(PoolEvent.Tick) shouldBe emptyList()
                now = due
                orders(PoolEvent.Tick) shouldBe listOf("Connect(slot=1)")
            }
        }

        test("an event about a slot that is gone: nothing") {
            Steps(one).run {
                val gone = listOf(
                    PoolEvent.Connected(9),
                    PoolEvent.Ended(9, null),
                    PoolEvent.Lost(9, Refused()),
                    PoolEvent.Checked(9, null),
                    PoolEvent.Recycled(9, Refused()),
                    PoolEvent.Returned(9, Outcome.Used),
                    PoolEvent.GraceEnded,
                )
                gone.flatMap { on(it) } shouldBe emptyList()
            }
        }

        test("an idle connection of a removed backend closes; one on loan when it comes back, without clean-up") {
            Steps(PoolPolicy(spares = 2, maxSlots = 2), Hooks(recycle = true)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                on(PoolEvent.Connected(2))
                lending.lend(0)
                orders(PoolEvent.BackendsListed(setOf(b))) shouldBe listOf("Disconnect(slot=2)")
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Disconnect(slot=1)")
                // Only now is there room under the limit.
                orders(PoolEvent.Ended(2, null)) shouldBe listOf("Connect(slot=3)")
            }
        }

        test("a backend that is listed again keeps its connection on loan") {
            Steps(one).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                lending.lend(0)
                on(PoolEvent.BackendsListed(emptySet()))
                on(PoolEvent.BackendsListed(setOf(a))) shouldBe listOf(
                    "slot 1 of a (10.0.0.a:1000): Draining -> Ready: listed again",
                    "backend added: a (10.0.0.a:1000)",
                    "rebalanced to 1 of at most 1 slots: the resolver's list changed",
                )
                lending.recalled shouldBe emptySet()
            }
        }

        test("a return is cleaned before it is lent again; a failed clean-up ends the connection") {
            Steps(one, Hooks(recycle = true)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                lending.lend(0)
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Recycle(slot=1)")
                orders(PoolEvent.Recycled(1, null)) shouldBe listOf("Lend(slot=1)")
                lending.lend(0)
                on(PoolEvent.Returned(1, Outcome.Used))
                on(PoolEvent.Recycled(1, Refused())).first() shouldBe
                    "slot 1 of a (10.0.0.a:1000): Recycling -> Closing: clean-up failed: Refused: no"
            }
        }

        test("a claim that never reached its caller needs no clean-up") {
            Steps(one, Hooks(recycle = true)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                lending.lend(0)
                orders(PoolEvent.Returned(1, Outcome.Unused)) shouldBe listOf("Lend(slot=1)")
            }
        }

        test("a peer that hangs up while idle: closed, and opened again at once") {
            Steps(one).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                now += 1.minutes
                orders(PoolEvent.Lost(1, null)) shouldBe listOf("Disconnect(slot=1)")
                orders(PoolEvent.Ended(1, null)) shouldBe listOf("Connect(slot=2)")
            }
        }

        test("a peer that hangs up as soon as it has accepted: backoff") {
            Steps(one).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                orders(PoolEvent.Lost(1, null)) shouldBe listOf("Disconnect(slot=1)")
                orders(PoolEvent.Ended(1, null)) shouldBe emptyList()
                now += one.backoff.start
                orders(PoolEvent.Tick) shouldBe listOf("Connect(slot=2)")
            }
        }

        test("a check takes the connection out of circulation and puts it back") {
            Steps(one).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                now += one.healthInterval
                orders(PoolEvent.Tick) shouldBe listOf("Check(slot=1)")
                lending.isFree(0) shouldBe false
                orders(PoolEvent.Checked(1, null)) shouldBe listOf("Lend(slot=1)")
            }
        }

        test("the reserve is never checked") {
            Steps(PoolPolicy(spares = 1, maxSlots = 1, healthReserve = 1)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                repeat(20) {
                    now += 10.seconds
                    orders(PoolEvent.Tick) shouldBe emptyList()
                }
            }
        }

        test("a connection past its lifetime is replaced when idle, and when it comes back") {
            val policy = PoolPolicy(spares = 1, maxSlots = 1, healthInterval = Duration.INFINITE)
            Steps(policy).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                on(PoolEvent.Connected(1))
                lending.lend(0)
                now += policy.maxLifetime
                orders(PoolEvent.Tick) shouldBe emptyList()
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Disconnect(slot=1)")
            }
        }

        test("closing: idle ones at once, lent ones when they come back, or when the grace ends") {
            Steps(PoolPolicy(spares = 3, maxSlots = 3)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..3L) on(PoolEvent.Connected(slot))
                lending.lend(0)
                lending.lend(1)
                orders(PoolEvent.CloseRequested) shouldBe listOf("Disconnect(slot=3)")
                orders(PoolEvent.CloseRequested) shouldBe emptyList()
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Disconnect(slot=1)")
                orders(PoolEvent.GraceEnded) shouldBe listOf("Disconnect(slot=2)")
                for (slot in 1L..3L) orders(PoolEvent.Ended(slot, null)) shouldBe emptyList()
                (state.slots to state.forced) shouldBe (0 to 1)
                state.nextDeadline shouldBe null
            }
        }

        test("when the last of the better priority goes down, the standby of the next goes into circulation") {
            val second = backend("second", priority = 1)
            val policy = PoolPolicy(spares = 2, maxSlots = 3, backoff = BackoffPolicy(start = 1.seconds))
            Steps(policy).run {
                on(PoolEvent.BackendsListed(setOf(a, second)))
                on(PoolEvent.Connected(1))
                on(PoolEvent.Connected(2))
                // The standby is open, and lent to nobody.
                orders(PoolEvent.Connected(3)) shouldBe emptyList()
                on(PoolEvent.Lost(1, Refused()))
                on(PoolEvent.Lost(2, Refused())).filter { "priority" in it || "Lend" in it } shouldBe
                    listOf("priority 0 -> 1: broken: Refused: no", "Lend(slot=3)")
            }
        }

        test("a lower limit closes what is idle beyond it, and no more") {
            Steps(PoolPolicy(spares = 4, maxSlots = 4)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..4L) on(PoolEvent.Connected(slot))
                orders(PoolEvent.LimitsSet(2, 2)) shouldBe listOf("Disconnect(slot=1)", "Disconnect(slot=2)")
            }
        }

        test("a new backend gets a place although callers took every connection just when the pool reached for it") {
            Steps(PoolPolicy(spares = 2, maxSlots = 2)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..2L) on(PoolEvent.Connected(slot))
                lending.snatched = true
                orders(PoolEvent.BackendsListed(setOf(a, b))) shouldBe emptyList()
                lending.recalled shouldBe setOf(0, 1)
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Disconnect(slot=1)")
                orders(PoolEvent.Ended(1, null)) shouldBe listOf("Connect(slot=3)")
            }
        }

        test("a connection that is to yield stays so when all of its backend are swept") {
            Steps(PoolPolicy(spares = 8, maxSlots = 8), Hooks(valid = true)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..8L) on(PoolEvent.Connected(slot))
                for (index in 0..7) lending.lend(index)
                on(PoolEvent.BackendsListed(setOf(a, b)))
                lending.recalled shouldBe (0..7).toSet()
                on(PoolEvent.Lost(8, Refused()))
                lending.recalled shouldBe (0..7).toSet()
            }
        }

        test("a backend that is no longer drained yields as much as it did before") {
            Steps(PoolPolicy(spares = 2, maxSlots = 2)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..2L) on(PoolEvent.Connected(slot))
                for (index in 0..1) lending.lend(index)
                on(PoolEvent.BackendsListed(setOf(a, b)))
                lending.recalled shouldBe setOf(0, 1)
                on(PoolEvent.DrainRequested(a))
                on(PoolEvent.DrainRevoked(a))
                lending.recalled shouldBe setOf(0, 1)
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Disconnect(slot=1)")
            }
        }

        test("whichever connection comes back first makes room for a new backend, and only as many as it takes") {
            Steps(PoolPolicy(spares = 3, maxSlots = 3)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..3L) on(PoolEvent.Connected(slot))
                for (index in 0..2) lending.lend(index)
                on(PoolEvent.BackendsListed(setOf(a, b)))
                orders(PoolEvent.Returned(3, Outcome.Used)) shouldBe listOf("Disconnect(slot=3)")
                orders(PoolEvent.Returned(2, Outcome.Used)) shouldBe listOf("Lend(slot=2)")
                orders(PoolEvent.Ended(3, null)) shouldBe listOf("Connect(slot=4)")
                // Of three, the new backend has its fair part.
                orders(PoolEvent.Connected(4)) shouldBe listOf("Lend(slot=4)")
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Lend(slot=1)")
            }
        }

        test("the only connection makes room for a new backend of a better priority when it comes back") {
            val second = backend("second", priority = 1)
            Steps(one).run {
                on(PoolEvent.BackendsListed(setOf(second)))
                on(PoolEvent.Connected(1))
                lending.lend(0)
                on(PoolEvent.BackendsListed(setOf(a, second)))
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Disconnect(slot=1)")
                orders(PoolEvent.Ended(1, null)) shouldBe listOf("Connect(slot=2)")
            }
        }

        test("a new backend that is gone again takes no connection from the others") {
            Steps(PoolPolicy(spares = 2, maxSlots = 2)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..2L) on(PoolEvent.Connected(slot))
                for (index in 0..1) lending.lend(index)
                on(PoolEvent.BackendsListed(setOf(a, b)))
                on(PoolEvent.BackendsListed(setOf(a)))
                orders(PoolEvent.Returned(1, Outcome.Used)) shouldBe listOf("Lend(slot=1)")
            }
        }

        test("a connection that is cleaned when a new backend comes makes room for it") {
            Steps(PoolPolicy(spares = 2, maxSlots = 2), Hooks(recycle = true)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..2L) on(PoolEvent.Connected(slot))
                for (index in 0..1) lending.lend(index)
                for (slot in 1L..2L) on(PoolEvent.Returned(slot, Outcome.Used))
                on(PoolEvent.BackendsListed(setOf(a, b)))
                orders(PoolEvent.Recycled(1, null)) shouldBe listOf("Disconnect(slot=1)")
                orders(PoolEvent.Recycled(2, null)) shouldBe listOf("Lend(slot=2)")
                orders(PoolEvent.Ended(1, null)) shouldBe listOf("Connect(slot=3)")
            }
        }

        test("a connection that is checked when a new backend comes makes room for it, whoever waits") {
            Steps(PoolPolicy(spares = 2, maxSlots = 2, healthReserve = 0), Hooks(valid = true)).run {
                on(PoolEvent.BackendsListed(setOf(a)))
                for (slot in 1L..2L) on(PoolEvent.Connected(slot))
                lending.lend(1)
                now += 1.minutes
                orders(PoolEvent.Tick) shouldBe listOf("Check(slot=1)")
                lending.waiting = 1
                on(PoolEvent.BackendsListed(setOf(a, b)))
                orders(PoolEvent.Checked(1, null)) shouldBe listOf("Disconnect(slot=1)")
            }
        }
    })

private class Refused : RuntimeException("no")

/** A state, a clock turned by hand, and connections that are lent by hand. */
private class Steps(policy: PoolPolicy, hooks: Hooks = Hooks()) {
    val lending = HandLending()
    val state = PoolState(policy, lending, Random(1), hooks)
    var now = Duration.ZERO
    private val indices = HashMap<Long, Int>()

    /** Everything, as text. */
    fun on(event: PoolEvent): List<String> = state.on(event, now).map { effect ->
        when (effect) {
            is PoolEffect.Tell -> effect.notice.toString()

            is PoolEffect.Connect -> {
                indices[effect.slot] = effect.index
                "Connect(slot=${effect.slot})"
            }

            is PoolEffect.Lend -> {
                lending.free(indices.getValue(effect.slot))
                effect.toString()
            }

            is PoolEffect.Check, is PoolEffect.Disconnect, is PoolEffect.Recycle, is PoolEffect.Reconsider ->
                effect.toString()
        }
    }

    /** Without the notices. */
    fun orders(event: PoolEvent): List<String> = on(event).filter { "(slot=" in it }
}

private class HandLending : Lending {
    private val freeOnes = HashSet<Int>()
    private val loans = HashMap<Int, Int>()
    val recalled = HashSet<Int>()
    val idleSince = HashMap<Int, Long>()

    /** Whether a caller is faster whenever the pool reaches for a connection. */
    var snatched = false
    override var waiting = 0
    override val free: Int get() = freeOnes.size

    fun free(index: Int) {
        recalled -= index
        freeOnes += index
    }

    fun lend(index: Int) {
        check(freeOnes.remove(index)) { "$index is not free" }
        loans[index] = loans(index) + 1
    }

    override fun isFree(index: Int): Boolean = index in freeOnes

    override fun recall(index: Int): Boolean {
        recalled += index
        if (snatched && index in freeOnes) lend(index)
        return freeOnes.remove(index)
    }

    override fun keep(index: Int) {
        recalled -= index
    }

    override fun loans(index: Int): Int = loans[index] ?: 0

    override fun idleSince(index: Int): Long = idleSince[index] ?: 0
}

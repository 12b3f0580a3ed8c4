package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.Refused
import dev.carom.pool.Removal
import dev.carom.pool.SetNotice
import dev.carom.pool.SetPolicy
import dev.carom.pool.backend
import dev.carom.pool.internal.set.SetEffect.Admit
import dev.carom.pool.internal.set.SetEffect.Check
import dev.carom.pool.internal.set.SetEffect.Connect
import dev.carom.pool.internal.set.SetEffect.Disconnect
import dev.carom.pool.internal.set.SetEffect.Retire
import dev.carom.pool.internal.set.SetEffect.Tell
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private class Steps(policy: SetPolicy = SetPolicy(), preference: Preference = Preference.Spread) {
    val leases = mutableMapOf<Long, Int>()
    val state = SetState(policy, preference, Random(7)) { leases[it] ?: 0 }
    var now = Duration.ZERO
    val notices = ArrayList<SetNotice>()

    /** The effects without the notices. */
    fun on(event: SetEvent, after: Duration = Duration.ZERO): List<SetEffect> {
        now += after
        val effects = state.on(event, now)
        effects.filterIsInstance<Tell>().mapTo(notices) { it.notice }
        return effects.filter { it !is Tell }
    }

    fun list(vararg backends: Backend) = on(SetEvent.BackendsListed(backends.toSet()))

    /** Lists these one by one, so that they are connected to in this order, and lets them connect. */
    fun up(vararg backends: Backend) {
        for (count in 1..backends.size) {
            val orders = list(*backends.copyOf(count).requireNoNulls()).filterIsInstance<Connect>()
            for (order in orders) on(SetEvent.Connected(order.slot))
        }
    }

    fun toDeadline(): List<SetEffect> {
        now = maxOf(now, state.nextDeadline!!)
        return on(SetEvent.Tick)
    }
}

class SetStateTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val moved = a.copy(host = "10.0.0.99")
        val still = SetPolicy(checkInterval = INFINITE)
        val one = SetPolicy(target = 1, maximum = 1, checkInterval = INFINITE, decoherenceInterval = INFINITE)

        test("every listed backend is connected to once, and is in the set when it is") {
            val steps = Steps()
            steps.list(a, b).filterIsInstance<Connect>().map { it.backend } shouldContainExactlyInAnyOrder listOf(a, b)
            steps.list(a, b).shouldBeEmpty()
            steps.on(SetEvent.Connected(1)) shouldContainExactly listOf(Admit(1))
            steps.on(SetEvent.Connected(1)).shouldBeEmpty()
        }

        test("a backend that moved is connected to at its new address before the old connection leaves") {
            val steps = Steps(still)
            steps.up(a)
            steps.list(moved) shouldContainExactly listOf(Connect(2, moved))
            steps.on(SetEvent.Connected(2)) shouldContainExactly listOf(Admit(2), Retire(1, Removal.Unlisted, null))
            steps.notices.filterIsInstance<SetNotice.Removed>().single().to shouldBe moved
            steps.on(SetEvent.Drained(1)) shouldContainExactly listOf(Disconnect(1))
            steps.on(SetEvent.Ended(1, null)).shouldBeEmpty()
        }

        test("of two that left, the one whose name is awaited at a new address stays until it is up") {
            val steps = Steps(still)
            steps.up(a, b, backend("c"))
            steps.list(moved, backend("c")) shouldContainExactly
                listOf(Retire(2, Removal.Unlisted, null), Connect(4, moved))
        }

        test("a removed backend leaves after replaceWithin though its replacement is down, if others are up") {
            val steps = Steps(SetPolicy(checkInterval = INFINITE, replaceWithin = 10.seconds))
            steps.up(a, b)
            steps.list(moved, b) shouldContainExactly listOf(Connect(3, moved))
            steps.on(SetEvent.Ended(3, Refused("no"))).shouldBeEmpty()
            var effects: List<SetEffect>
            do {
                effects = steps.toDeadline()
                effects.filterIsInstance<Connect>().forEach { steps.on(SetEvent.Ended(it.slot, Refused("no"))) }
            } while (effects.none { it is Retire })
            effects.shouldContain(Retire(1, Removal.Unlisted, null))
            steps.now shouldBe 10.seconds
        }

        test("the last connection that works stays, though nothing is listed any more, and that is said once") {
            val steps = Steps(SetPolicy(checkInterval = INFINITE, replaceWithin = 10.seconds))
            steps.up(a)
            steps.list().shouldBeEmpty()
            steps.toDeadline().shouldBeEmpty()
            steps.on(SetEvent.Tick, after = 100.seconds).shouldBeEmpty()
            steps.notices.filterIsInstance<SetNotice.Kept>().shouldHaveSize(1)
            steps.list(b) shouldContainExactly listOf(Connect(2, b))
            steps.on(SetEvent.Connected(2)).shouldContain(Retire(1, Removal.Unlisted, null))
        }

        test("a connect that is no longer wanted is cancelled, and nobody hears of that connection") {
            val steps = Steps(still)
            steps.list(a)
            steps.list(a, b)
            steps.list(b) shouldContainExactly listOf(Disconnect(1))
            steps.on(SetEvent.Connected(1)).shouldBeEmpty()
            // The cancelled attempt has not ended yet: no second one beside it.
            steps.list(a, b).shouldBeEmpty()
            steps.on(SetEvent.Ended(1, null)) shouldContainExactly listOf(Connect(3, a))
        }

        test("a failed backend is tried again after a backoff that grows") {
            val steps = Steps(still)
            steps.list(a)
            val pauses = (1L..12L).map { slot ->
                val failedAt = steps.now
                steps.on(SetEvent.Ended(slot, Refused("no"))).shouldBeEmpty()
                steps.toDeadline() shouldContainExactly listOf(Connect(slot + 1, a))
                steps.now - failedAt
            }
            (pauses.first() <= 20.milliseconds) shouldBe true
            (pauses.last() in 15.seconds..30.seconds) shouldBe true
        }

        test("a peer that closes in peace is connected to again, and its connection drains") {
            val steps = Steps(one)
            steps.up(a)
            steps.leases[1] = 1
            steps.on(SetEvent.Lost(1, null)) shouldContainExactly listOf(Retire(1, Removal.PeerClosed, null))
            steps.toDeadline() shouldContainExactly listOf(Connect(2, a))
            steps.leases[1] = 0
            steps.on(SetEvent.Drained(1)) shouldContainExactly listOf(Disconnect(1))
        }

        test("a peer that accepts and closes again and again gives way to another backend") {
            val steps = Steps(one, Preference.Best)
            val best = backend("best", weight = 2)
            val next = backend("next", weight = 1)
            steps.up(best, next)
            steps.on(SetEvent.Lost(1, null))
            steps.toDeadline() shouldContainExactly listOf(Connect(2, best))
            steps.on(SetEvent.Connected(2))
            steps.on(SetEvent.Lost(2, null)).shouldContain(Connect(3, next))
        }

        test("a broken connection is closed at once, held or not") {
            val steps = Steps(still)
            steps.up(a)
            steps.leases[1] = 3
            val cause = Refused("reset")
            steps.on(SetEvent.Failed(1, cause)) shouldContainExactly
                listOf(Retire(1, Removal.Failed, cause), Disconnect(1))
        }

        test("holders that keep a connection longer than the drain timeout are cut off, and counted") {
            val steps = Steps(still)
            steps.up(a, b)
            steps.leases[1] = 2
            steps.list(b) shouldContainExactly listOf(Retire(1, Removal.Unlisted, null))
            steps.toDeadline() shouldContainExactly listOf(Disconnect(1))
            steps.now shouldBe 30.seconds
            steps.notices.filterIsInstance<SetNotice.Drained>().single().forced shouldBe 2
        }

        test("backends of a worse priority are used only until a better one is up") {
            val spare = backend("spare", priority = 1)
            val steps = Steps(still)
            steps.list(a, spare) shouldContainExactly listOf(Connect(1, a))
            steps.on(SetEvent.Ended(1, Refused("no"))) shouldContainExactly listOf(Connect(2, spare))
            steps.on(SetEvent.Connected(2))
            steps.toDeadline() shouldContainExactly listOf(Connect(3, a))
            steps.on(SetEvent.Connected(3)) shouldContainExactly listOf(Admit(3), Retire(2, Removal.Replaced, null))
        }

        test(
            "with fewer wanted than there are, one that fails is replaced at once, and the swap back makes before it breaks",
        ) {
            val steps = Steps(one)
            val first = steps.list(a, b).filterIsInstance<Connect>().single()
            steps.on(SetEvent.Ended(first.slot, Refused("no"))).single() shouldBe
                Connect(2, if (first.backend == a) b else a)
            steps.on(SetEvent.Connected(2))
            val again = steps.toDeadline().single() as Connect
            again.backend shouldBe first.backend
            steps.on(SetEvent.Connected(again.slot)) shouldContainExactly
                listOf(Admit(again.slot), Retire(2, Removal.Replaced, null))
        }

        test("the best stays with the backend it has while another is no better") {
            val steps = Steps(one, Preference.Best)
            steps.up(a)
            steps.list(a, b).shouldBeEmpty()
            steps.list(a, b, backend("c", weight = 5)) shouldContainExactly listOf(Connect(2, backend("c", weight = 5)))
        }

        test("in time each client of few among many backends uses others, one at a time") {
            val many = (0 until 10).map { backend("b$it") }
            val steps = Steps(SetPolicy(target = 2, maximum = 2, checkInterval = INFINITE))
            steps.up(*many.toTypedArray())
            val used = mutableSetOf<Backend>()
            repeat(200) {
                for (order in steps.toDeadline().filterIsInstance<Connect>()) {
                    used += order.backend
                    steps.on(SetEvent.Connected(order.slot)).filterIsInstance<Retire>().shouldHaveSize(1)
                }
            }
            used.size shouldBeGreaterThan 5
        }

        test("clients of few among many backends spread over them by weight") {
            val heavy = backend("heavy", weight = 3)
            val light = backend("light", weight = 1)
            val counts = mutableMapOf<Backend, Int>()
            val random = Random(5)
            repeat(1_000) {
                val state = SetState(one, Preference.Spread, random) { 0 }
                val first = state.on(SetEvent.BackendsListed(setOf(heavy, light)), Duration.ZERO)
                val chosen = first.filterIsInstance<Connect>().single().backend
                counts[chosen] = (counts[chosen] ?: 0) + 1
            }
            counts.getValue(heavy) shouldBeGreaterThan 680
            counts.getValue(heavy) shouldBeLessThan 820
        }

        test("idle connections are checked about once per interval; leased ones are not, unless that is allowed") {
            val steps = Steps(SetPolicy(checkInterval = 10.seconds))
            steps.up(a)
            steps.leases[1] = 1
            repeat(20) { steps.toDeadline().shouldBeEmpty() }
            steps.leases[1] = 0
            steps.toDeadline() shouldContainExactly listOf(Check(1))
            steps.state.nextDeadline shouldBe null
            steps.on(SetEvent.Checked(1, null)).shouldBeEmpty()
            steps.toDeadline() shouldContainExactly listOf(Check(1))
            val cause = Refused("no answer")
            steps.on(SetEvent.Checked(1, cause)) shouldContainExactly
                listOf(Retire(1, Removal.CheckFailed, cause), Disconnect(1))
            val shared = Steps(SetPolicy(checkInterval = 10.seconds, checkLeased = true))
            shared.up(a)
            shared.leases[1] = 1
            shared.toDeadline() shouldContainExactly listOf(Check(1))
        }

        test("closing drains what is open, cancels what is not, and reports when all has ended") {
            val steps = Steps(still)
            steps.up(a)
            steps.list(a, b)
            steps.leases[1] = 1
            steps.on(SetEvent.CloseRequested(5.seconds)) shouldContainExactly
                listOf(Retire(1, Removal.SetClosed, null), Disconnect(2))
            steps.on(SetEvent.Ended(2, null)).shouldBeEmpty()
            steps.toDeadline() shouldContainExactly listOf(Disconnect(1))
            steps.now shouldBe 5.seconds
            steps.state.report shouldBe null
            steps.on(SetEvent.Ended(1, null)).shouldBeEmpty()
            steps.state.report.toString() shouldBe "closed 0, forced 1, refused 0 waiting, 0 stuck"
        }
    })

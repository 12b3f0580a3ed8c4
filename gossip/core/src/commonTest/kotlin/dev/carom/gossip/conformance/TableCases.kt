package dev.carom.gossip.conformance

import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.TestId
import dev.carom.gossip.alive
import dev.carom.gossip.down
import dev.carom.gossip.id
import dev.carom.gossip.internal.MemberTable
import dev.carom.gossip.internal.Outcome
import dev.carom.gossip.suspect
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import kotlin.random.Random

private fun table(vararg updates: MemberUpdate<TestId>) =
    MemberTable<TestId>(Random(1), { it.address() }, { one, other -> one.bump > other.bump })
        .apply { updates.forEach { apply(it) } }

/** Whether [update] is taken in after [known]. */
private fun takes(known: MemberUpdate<TestId>, update: MemberUpdate<TestId>) = table(known).apply(update).applied

internal fun Cases.ofTheTable() {
    transitions()
    applying()
    choosing()
}

private fun Cases.transitions() {
    case(15, name = "an alive member: alive again only with a higher incarnation, suspect from the same, down always") {
        (0L..2L).map { takes(alive(2, 1), alive(2, it)) } shouldBe listOf(false, false, true)
        (0L..2L).map { takes(alive(2, 1), suspect(2, it)) } shouldBe listOf(false, true, true)
        (0L..2L).map { takes(alive(2, 1), down(2, it)) } shouldBe listOf(true, true, true)
    }

    case(16, name = "a suspect: alive or suspect again only with a higher incarnation, down always") {
        (0L..2L).map { takes(suspect(2, 1), alive(2, it)) } shouldBe listOf(false, false, true)
        (0L..2L).map { takes(suspect(2, 1), suspect(2, it)) } shouldBe listOf(false, false, true)
        (0L..2L).map { takes(suspect(2, 1), down(2, it)) } shouldBe listOf(true, true, true)
    }

    case(17, name = "down is final") {
        for (incarnation in 0L..2L) {
            takes(down(2), alive(2, incarnation)) shouldBe false
            takes(down(2), suspect(2, incarnation)) shouldBe false
            takes(down(2), down(2, incarnation)) shouldBe false
        }
    }
}

private fun Cases.applying() {
    case(19, name = "news under a condition: nothing for a stranger, a result for a member whatever the condition") {
        val table = table(alive(2))
        table.applyExistingIf(suspect(3)) { true }.outcome shouldBe Outcome.Absent
        table.applyExistingIf(suspect(2)) { false }.outcome shouldBe Outcome.ConditionFailed
        table.applyExistingIf(suspect(2)) { true }.outcome shouldBe Outcome.Changed
    }

    case(20, name = "each piece of news says whether it was taken and whether the active members changed") {
        val table = table()
        table.apply(suspect(2)).let {
            it.record!!.active shouldBe true
            it.applied shouldBe true
            it.turned shouldBe true
        }
        table.apply(alive(2)).applied shouldBe false
        table.apply(alive(2, 1)).let {
            it.applied shouldBe true
            it.turned shouldBe false
        }
        table.apply(down(2)).let {
            it.applied shouldBe true
            it.turned shouldBe true
        }
        table.active shouldBe 0
        table.apply(down(3)).let {
            it.applied shouldBe true
            it.turned shouldBe false
        }
    }

    case(21, name = "only a dead member can be forgotten") {
        val table = table(alive(2))
        table.removeIfDown(9) shouldBe null
        table.removeIfDown(2) shouldBe null
        table.apply(down(2))
        table.removeIfDown(2)?.id shouldBe id(2)
        table.find(2) shouldBe null
    }

    case(24, name = "a later identity replaces the earlier one, which then is lost") {
        val table = table(alive(2))
        table.apply(alive(2, bump = 1)).let {
            it.applied shouldBe true
            it.replaced shouldBe id(2)
        }
        table.applyExistingIf(alive(2, bump = 2)) { false }.let {
            it.applied shouldBe false
            it.outcome shouldBe Outcome.ConditionFailed
        }
        table.apply(alive(2)).let {
            it.applied shouldBe false
            it.outcome shouldBe Outcome.Lost
        }
    }
}

private fun Cases.choosing() {
    case(18, name = "probes walk the list in order, then in another order, nobody left out") {
        val table = table(alive(1), alive(2), alive(3), alive(4), alive(5))
        val placed = table.records.map { it.id }
        val first = List(5) { table.next()!!.id }
        val second = List(5) { table.next()!!.id }
        first.toSet() shouldBe second.toSet()
        placed.toSet() shouldBe first.toSet()
        val walks = List(20) { List(5) { table.next()!!.id } }
        walks.forEach { it.toSet() shouldBe first.toSet() }
        walks.toSet().size shouldNotBe 1
        // Within one walk the order is the list's own.
        val order = table.records.map { it.id }
        walks.last() shouldBe order
    }

    case(22, name = "nobody to probe: nobody known, or all dead; one alive among the dead is found each time") {
        table().next() shouldBe null
        table(down(1)).next() shouldBe null
        val table = table(down(1), down(2), alive(3), down(4))
        repeat(10) { table.next()?.id shouldBe id(3) }
    }

    case(23, name = "random members: no more than asked for, only those that pass, none twice") {
        val table = table(alive(1), alive(2), alive(3), alive(4), suspect(5), down(6), down(7))
        fun choose(count: Int, passes: (TestId, MemberState) -> Boolean) =
            table.choose(count) { passes(it.id, it.state) }.map { it.id.addr }

        val active = { _: TestId, state: MemberState -> state != MemberState.Down }
        choose(0, active) shouldBe emptyList()
        choose(7) { _, _ -> false } shouldBe emptyList()
        choose(7, active) shouldContainExactlyInAnyOrder listOf(1, 2, 3, 4, 5)
        choose(2, active).toSet().size shouldBe 2
        choose(7) { id, state -> id.addr > 4 && state != MemberState.Down } shouldBe listOf(5)
        choose(3) { _, state -> state == MemberState.Down } shouldContainExactlyInAnyOrder listOf(6, 7)
    }
}

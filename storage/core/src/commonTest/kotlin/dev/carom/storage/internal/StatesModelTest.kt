package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import dev.carom.storage.TxnEnd
import dev.carom.storage.TxnStatus
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Random honest worlds; the seed is in the failure. */
class StatesModelTest :
    FunSpec({
        test("connection: never two on it, everybody who asks is answered once, released once and last") {
            repeat(WORLDS) { seed -> withClue("seed $seed") { ConnWorld(Random(seed)).run() } }
        }

        test(
            "transaction: never two in it, everybody is answered once, ended once, and nothing is served after the end",
        ) {
            repeat(WORLDS) { seed -> withClue("seed $seed") { TxnWorld(Random(seed)).run() } }
        }

        test("leases: the source is closed once, after the last one is back; nobody waits in a closed pool") {
            repeat(WORLDS) { seed -> withClue("seed $seed") { LeaseWorld(Random(seed)).run() } }
        }

        test("cancel: settled once, never while the call or a request goes on, except by the end of the grace") {
            repeat(WORLDS) { seed -> withClue("seed $seed") { cancelWorld(Random(seed)) } }
        }
    })

private const val WORLDS = 2_000
private const val STEPS = 40

private class ConnWorld(private val random: Random) {
    private var state = ConnState(failsDuringTxn = random.nextBoolean())
    private val waiting = mutableListOf<Ticket>()
    private var on: Ticket? = null
    private var released = 0

    fun run() {
        repeat(STEPS) { step() }
        send(ConnEvent.CloseAsked(emptySet()))
        while (on != null) leave()
        waiting.size shouldBe 0
        released shouldBe 1
        state.occupant shouldBe null
    }

    private fun step() {
        when (random.nextInt(12)) {
            0, 1, 2, 3 -> ask()

            4, 5, 6, 7 -> if (on != null) leave()

            8, 9 -> waiting.randomOrNull(random)?.let {
                waiting -= it
                send(ConnEvent.Withdrawn(it))
            }

            10 -> if (random.nextInt(5) == 0) send(if (random.nextBoolean()) ConnEvent.Broke else ConnEvent.Forced)

            else -> if (random.nextInt(5) == 0) send(ConnEvent.CloseAsked(setOf(random.nextInt(3))))
        }
    }

    private fun ask() {
        val kind = listOf(TicketKind.CALL, TicketKind.ROWS, TicketKind.TXN).random(random)
        val ticket = Ticket(kind, setOf(random.nextInt(3)))
        waiting += ticket
        send(ConnEvent.Asked(ticket))
    }

    private fun leave() {
        val left = on!!
        on = null
        send(ConnEvent.Left(left))
    }

    private fun send(event: ConnEvent) {
        val step = state.on(event)
        state = step.state
        for (effect in step.effects) {
            when (effect) {
                is ConnEffect.Start -> {
                    released shouldBe 0
                    on shouldBe null
                    waiting.remove(effect.ticket) shouldBe true
                    on = effect.ticket
                }

                is ConnEffect.Refuse -> waiting.remove(effect.ticket) shouldBe true

                is ConnEffect.Stop -> effect.ticket shouldBe on

                is ConnEffect.Release -> {
                    on shouldBe null
                    state.queue.size shouldBe 0
                    released++
                }
            }
        }
    }
}

private class TxnWorld(private val random: Random) {
    private var state = TxnState(if (random.nextBoolean()) TxnStatus.LAZY else TxnStatus.ACTIVE, random.nextBoolean())
    private val waiting = mutableListOf<Ticket>()
    private var on: Ticket? = null
    private var ended = 0

    fun run() {
        repeat(STEPS) { step() }
        if (on != null) leave()
        if (ended == 0) ask(TicketKind.ROLLBACK)
        while (on != null) leave()
        waiting.size shouldBe 0
        ended shouldBe 1
        state.status.isEnded shouldBe true
    }

    private fun step() {
        when (random.nextInt(10)) {
            0, 1, 2 -> ask(listOf(TicketKind.CALL, TicketKind.ROWS, TicketKind.TXN).random(random))

            3 -> if (random.nextInt(4) == 0) ask(TicketKind.COMMIT)

            4 -> if (random.nextInt(6) == 0) ask(TicketKind.ROLLBACK)

            5 -> waiting.filter { it.kind != TicketKind.ROLLBACK }.randomOrNull(random)?.let {
                waiting -= it
                send(TxnEvent.Withdrawn(it))
                // Whoever gives up a commit rolls back.
                if (it.kind == TicketKind.COMMIT && ended == 0) ask(TicketKind.ROLLBACK)
            }

            else -> if (on != null) leave()
        }
    }

    private fun ask(kind: TicketKind) {
        val end = when (kind) {
            TicketKind.COMMIT -> TxnEnd.COMMIT
            TicketKind.ROLLBACK -> TxnEnd.ROLLBACK
            else -> null
        }
        val ticket = Ticket(kind, setOf(random.nextInt(3)), end)
        waiting += ticket
        send(TxnEvent.Asked(ticket))
    }

    private fun leave() {
        val left = on!!
        on = null
        val rollingBack = state.status == TxnStatus.ROLLING_BACK
        val after = when {
            left.kind == TicketKind.COMMIT && !rollingBack ->
                listOf(TxnStatus.COMMITTED, TxnStatus.ROLLED_BACK, TxnStatus.UNKNOWN).random(random)

            left.kind == TicketKind.COMMIT || left.kind == TicketKind.ROLLBACK -> TxnStatus.ROLLED_BACK

            random.nextInt(20) == 0 -> TxnStatus.ROLLED_BACK

            random.nextInt(10) == 0 -> TxnStatus.FAILED

            else -> TxnStatus.ACTIVE
        }
        send(TxnEvent.Left(left, after, TxnEnd.PLATFORM.takeIf { after.isEnded }))
    }

    private fun send(event: TxnEvent) {
        val step = state.on(event)
        state = step.state
        for (effect in step.effects) {
            when (effect) {
                is TxnEffect.Start -> {
                    on shouldBe null
                    ended shouldBe 0
                    waiting.remove(effect.ticket) shouldBe true
                    on = effect.ticket
                }

                is TxnEffect.Refuse -> waiting.remove(effect.ticket) shouldBe true

                is TxnEffect.Stop -> effect.ticket shouldBe on

                is TxnEffect.Release -> {
                    on shouldBe null
                    waiting.size shouldBe 0
                    ended++
                }
            }
        }
    }
}

private class LeaseWorld(private val random: Random) {
    private var state = LeaseState(random.nextInt(1, 5), random.nextInt(0, 6))
    private val admitted = mutableListOf<Waiter>()
    private val lent = mutableSetOf<Long>()
    private var ids = 0L
    private var numbers = 0L
    private var closed = 0
    private var closing = false

    fun run() {
        repeat(STEPS) { step() }
        closing = true
        send(LeaseEvent.CloseAsked(Duration.INFINITE))
        admitted.size shouldBe 0
        while (lent.isNotEmpty()) giveBack()
        closed shouldBe 1
        send(LeaseEvent.Emptied)
        state.phase shouldBe LeaseState.Phase.Closed
    }

    private fun step() {
        when (random.nextInt(10)) {
            0, 1, 2, 3 -> {
                val holds = if (lent.isNotEmpty() && random.nextBoolean()) setOf(lent.random(random)) else emptySet()
                val waiter = Waiter(++numbers, holds)
                admitted += waiter
                send(LeaseEvent.Asked(waiter))
            }

            4, 5, 6 -> if (lent.size < state.capacity) {
                admitted.firstOrNull()?.let {
                    admitted -= it
                    send(LeaseEvent.Gone(it))
                    ids++
                    lent += ids
                    send(LeaseEvent.Taken(Loan(ids, "holder", Duration.ZERO)))
                }
            }

            7, 8 -> if (lent.isNotEmpty()) giveBack()

            else -> if (random.nextInt(8) == 0) {
                closing = true
                send(LeaseEvent.CloseAsked(random.nextInt(10).seconds))
                send(LeaseEvent.Ticked(random.nextInt(10).seconds))
            }
        }
    }

    private fun giveBack() {
        val id = lent.random(random)
        lent -= id
        send(LeaseEvent.Returned(id))
    }

    private fun send(event: LeaseEvent) {
        val step = state.on(event)
        state = step.state
        for (effect in step.effects) {
            when (effect) {
                is LeaseEffect.Admit -> closing shouldBe false

                is LeaseEffect.RefuseClosed -> {
                    closing shouldBe true
                    admitted.remove(effect.waiter) shouldBe true
                }

                is LeaseEffect.RefuseFull -> admitted.remove(effect.waiter) shouldBe true

                is LeaseEffect.RefuseDeadlock -> {
                    lent.size shouldBe state.capacity
                    admitted.remove(effect.waiter) shouldBe true
                    send(LeaseEvent.Gone(effect.waiter))
                }

                is LeaseEffect.Reject -> lent.remove(effect.id) shouldBe true

                is LeaseEffect.Escalate -> effect.ids shouldBe lent

                is LeaseEffect.CloseSource -> {
                    lent.size shouldBe 0
                    closed++
                }
            }
        }
        closed shouldBe if (closing && lent.isEmpty()) 1 else 0
    }
}

/** The call ends at some time, requests are answered after some time or never. */
private fun cancelWorld(random: Random) {
    val grace = 2_000
    val endAt = random.nextInt(4_000)
    val requestAt = random.nextInt(2_000)
    val answers = mutableListOf<Int>()
    var underWay = 0
    var ended = false
    var settled: CancelClass? = null
    var state = CancelState(grace.milliseconds, 20.milliseconds)
    for (now in 0..6_000) {
        val events = buildList {
            if (now == requestAt) add(CancelEvent.Requested)
            if (now == endAt) add(CancelEvent.Ended(random.nextBoolean()))
            repeat(answers.count { it == now }) { add(CancelEvent.Answered) }
            if (state.nextDeadline?.let { it <= now.milliseconds } == true) add(CancelEvent.Tick)
        }
        for (event in events) {
            if (event is CancelEvent.Ended) ended = true
            if (event is CancelEvent.Answered) underWay--
            val step = state.on(event, now.milliseconds)
            state = step.state
            for (effect in step.effects) {
                when (effect) {
                    is CancelEffect.Send -> {
                        underWay++
                        (underWay <= 1) shouldBe true
                        answers += if (random.nextInt(10) == 0) Int.MAX_VALUE else now + 1 + random.nextInt(60)
                    }

                    is CancelEffect.Abort -> now shouldBe requestAt + grace

                    is CancelEffect.Settled -> {
                        settled shouldBe null
                        settled = effect.result
                        if (effect.result != CancelClass.TIMEOUT) (ended && underWay == 0) shouldBe true
                    }
                }
            }
        }
    }
    (settled != null) shouldBe true
}

package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import dev.carom.storage.ConnStatus
import dev.carom.storage.TxnEnd
import dev.carom.storage.TxnStatus
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Step tests: this event, exactly these effects. */
class StatesTest :
    FunSpec({
        fun ticket(kind: TicketKind, who: Any = Any(), end: TxnEnd? = null) = Ticket(kind, setOf(who), end)

        test("cancel: sent at once, repeated after 20, 40, 80 ms, settled when the call and each request have ended") {
            var state = CancelState(2.seconds, 20.milliseconds)
            fun on(event: CancelEvent, at: Int): List<CancelEffect> {
                val step = state.on(event, at.milliseconds)
                state = step.state
                return step.effects
            }
            state.nextDeadline.shouldBeNull()
            on(CancelEvent.Requested, 0).single() shouldBe CancelEffect.Send
            on(CancelEvent.Requested, 1).shouldBeEmpty()
            on(CancelEvent.Answered, 5).shouldBeEmpty()
            state.nextDeadline shouldBe 25.milliseconds
            on(CancelEvent.Tick, 24).shouldBeEmpty()
            on(CancelEvent.Tick, 25).single() shouldBe CancelEffect.Send
            // A request is under way: nothing but the grace is waited for.
            state.nextDeadline shouldBe 2.seconds
            on(CancelEvent.Ended(cancelled = true), 50).shouldBeEmpty()
            on(CancelEvent.Answered, 60).single().shouldBeInstanceOf<CancelEffect.Settled>().result shouldBe
                CancelClass.CONFIRMED
            on(CancelEvent.Tick, 5_000).shouldBeEmpty()
        }

        test("cancel: an end without a cancel code, an end before anything was sent, and no end at all") {
            fun run(vararg events: Pair<Int, CancelEvent>): List<CancelEffect> {
                var state = CancelState(2.seconds, 20.milliseconds)
                return events.flatMap { (at, event) ->
                    state.on(event, at.milliseconds).also { state = it.state }.effects
                }
            }
            (
                run(
                    0 to CancelEvent.Requested,
                    1 to CancelEvent.Answered,
                    2 to CancelEvent.Ended(false),
                ).last() as CancelEffect.Settled
                )
                .result shouldBe CancelClass.COMPLETED
            (run(0 to CancelEvent.Ended(false), 1 to CancelEvent.Requested).last() as CancelEffect.Settled)
                .result shouldBe CancelClass.NOT_SENT
            val timeout = run(0 to CancelEvent.Requested, 2_000 to CancelEvent.Tick, 2_001 to CancelEvent.Ended(true))
            timeout.map { it::class } shouldContainExactly
                listOf(CancelEffect.Send::class, CancelEffect.Abort::class, CancelEffect.Settled::class)
        }

        test("connection: one at a time, in order; released when the last one has left") {
            val a = ticket(TicketKind.CALL)
            val b = ticket(TicketKind.CALL)
            val c = ticket(TicketKind.CALL)
            var state = ConnState()
            fun on(event: ConnEvent) = state.on(event).also { state = it.state }.effects
            (on(ConnEvent.Asked(a)).single() as ConnEffect.Start).ticket shouldBe a
            on(ConnEvent.Asked(b)).shouldBeEmpty()
            on(ConnEvent.Asked(c)).shouldBeEmpty()
            on(ConnEvent.Withdrawn(b)).shouldBeEmpty()
            on(ConnEvent.CloseAsked(emptySet())).shouldBeEmpty()
            (on(ConnEvent.Asked(b)).single() as ConnEffect.Refuse).why shouldBe Refusal.ConnClosed
            (on(ConnEvent.Left(a)).single() as ConnEffect.Start).ticket shouldBe c
            // It left already: nothing happens twice.
            on(ConnEvent.Left(a)).shouldBeEmpty()
            on(ConnEvent.Left(c)).single() shouldBe ConnEffect.Release
            state.status shouldBe ConnStatus.CLOSED
            on(ConnEvent.CloseAsked(emptySet())).shouldBeEmpty()
        }

        test("connection: served and cancelled in the same instant, the turn goes on to the next") {
            val a = ticket(TicketKind.CALL)
            val b = ticket(TicketKind.CALL)
            val state = ConnState().on(ConnEvent.Asked(a)).state.on(ConnEvent.Asked(b)).state
            (state.on(ConnEvent.Withdrawn(a)).effects.single() as ConnEffect.Start).ticket shouldBe b
        }

        test("connection: broken, it refuses everybody, and still waits for who is on it before it is released") {
            val a = ticket(TicketKind.CALL)
            val b = ticket(TicketKind.CALL)
            var state = ConnState().on(ConnEvent.Asked(a)).state.on(ConnEvent.Asked(b)).state
            fun on(event: ConnEvent) = state.on(event).also { state = it.state }.effects
            (on(ConnEvent.Broke).single() as ConnEffect.Refuse).ticket shouldBe b
            state.status shouldBe ConnStatus.BROKEN
            on(ConnEvent.CloseAsked(emptySet())).shouldBeEmpty()
            on(ConnEvent.Left(a)).single() shouldBe ConnEffect.Release
        }

        test("transaction: a commit waits for rows, which it closes, and finds a failed transaction to roll back") {
            val rows = ticket(TicketKind.ROWS)
            val commit = ticket(TicketKind.COMMIT, end = TxnEnd.COMMIT)
            var state = TxnState(TxnStatus.ACTIVE, queues = false)
            fun on(event: TxnEvent) = state.on(event).also { state = it.state }.effects
            on(TxnEvent.Asked(rows))
            (on(TxnEvent.Asked(commit)).single() as TxnEffect.Stop).ticket shouldBe rows
            state.status shouldBe TxnStatus.COMMITTING
            (on(TxnEvent.Left(rows, TxnStatus.FAILED)).single() as TxnEffect.Start).ticket shouldBe commit
            state.status shouldBe TxnStatus.ROLLING_BACK
            on(TxnEvent.Left(commit, TxnStatus.ROLLED_BACK, TxnEnd.ROLLBACK)).single() shouldBe TxnEffect.Release
            state.end shouldBe TxnEnd.ROLLBACK
        }

        test("transaction: a rollback stops what runs, refuses what waits, and is not stopped by another one") {
            val a = ticket(TicketKind.CALL)
            val b = ticket(TicketKind.CALL)
            val rollback = ticket(TicketKind.ROLLBACK, end = TxnEnd.OWNER_CANCELLED)
            var state = TxnState(TxnStatus.ACTIVE, queues = true)
            fun on(event: TxnEvent) = state.on(event).also { state = it.state }.effects
            on(TxnEvent.Asked(a))
            on(TxnEvent.Asked(b)).shouldBeEmpty()
            val effects = on(TxnEvent.Asked(rollback))
            (effects[0] as TxnEffect.Refuse).ticket shouldBe b
            (effects[1] as TxnEffect.Stop).ticket shouldBe a
            (on(TxnEvent.Asked(ticket(TicketKind.ROLLBACK))).single() as TxnEffect.Refuse).why shouldBe
                Refusal.TxnFinished
            (on(TxnEvent.Left(a, TxnStatus.ACTIVE)).single() as TxnEffect.Start).ticket shouldBe rollback
        }

        test("transaction: the session is lost in a call: ended by the platform, once, and everybody is told") {
            val a = ticket(TicketKind.CALL)
            val commit = ticket(TicketKind.COMMIT)
            var state = TxnState(TxnStatus.ACTIVE, queues = true)
            fun on(event: TxnEvent) = state.on(event).also { state = it.state }.effects
            on(TxnEvent.Asked(a))
            on(TxnEvent.Asked(commit))
            val effects = on(TxnEvent.Left(a, TxnStatus.ROLLED_BACK, TxnEnd.PLATFORM))
            (effects[0] as TxnEffect.Refuse).ticket shouldBe commit
            effects[1] shouldBe TxnEffect.Release
            state.end shouldBe TxnEnd.PLATFORM
        }

        test("leases: a deadlock is told to the youngest of those who have something, and only if nobody can return") {
            val a = Waiter(1, setOf(1))
            val innocent = Waiter(2, emptySet())
            val b = Waiter(3, setOf(2))
            var state = LeaseState(2, 10)
            fun on(event: LeaseEvent) = state.on(event).also { state = it.state }.effects
            on(LeaseEvent.Taken(Loan(1, "a", Duration.ZERO)))
            on(LeaseEvent.Taken(Loan(2, "b", Duration.ZERO)))
            on(LeaseEvent.Asked(a)).single().shouldBeInstanceOf<LeaseEffect.Admit>()
            on(LeaseEvent.Asked(innocent)).single().shouldBeInstanceOf<LeaseEffect.Admit>()
            (on(LeaseEvent.Asked(b)).last() as LeaseEffect.RefuseDeadlock).waiter shouldBe b
        }

        test("leases: a deadlock is noticed though a loan that has ended is forgotten after the next one was taken") {
            var state = LeaseState(2, 10)
            fun on(event: LeaseEvent) = state.on(event).also { state = it.state }.effects
            val a = Waiter(1, setOf(1))
            val b = Waiter(2, setOf(3))
            on(LeaseEvent.Taken(Loan(1, "a", Duration.ZERO)))
            on(LeaseEvent.Taken(Loan(2, "returned", Duration.ZERO)))
            on(LeaseEvent.Asked(a)).single().shouldBeInstanceOf<LeaseEffect.Admit>()
            // The session of the second loan is back, and b has it, before that loan is gone.
            on(LeaseEvent.Taken(Loan(3, "b", Duration.ZERO))).shouldBeEmpty()
            on(LeaseEvent.Asked(b)).single().shouldBeInstanceOf<LeaseEffect.Admit>()
            (on(LeaseEvent.Returned(2)).single() as LeaseEffect.RefuseDeadlock).waiter shouldBe b
            on(LeaseEvent.Gone(b))
            on(LeaseEvent.Returned(3)).shouldBeEmpty()
        }

        test("leases: closing fails who waits, in order, and closes the source when the last one is back, once") {
            val a = Waiter(1, emptySet())
            val b = Waiter(2, emptySet())
            var state = LeaseState(1, 10)
            fun on(event: LeaseEvent) = state.on(event).also { state = it.state }.effects
            on(LeaseEvent.Taken(Loan(1, "holder", Duration.ZERO)))
            on(LeaseEvent.Asked(a))
            on(LeaseEvent.Asked(b))
            on(LeaseEvent.CloseAsked(5.seconds)).map { (it as LeaseEffect.RefuseClosed).waiter } shouldContainExactly
                listOf(a, b)
            state.nextDeadline shouldBe 5.seconds
            on(LeaseEvent.CloseAsked(3.seconds))
            on(LeaseEvent.CloseAsked(9.seconds))
            state.nextDeadline shouldBe 3.seconds
            on(LeaseEvent.Taken(Loan(2, "late", Duration.ZERO))).single().shouldBeInstanceOf<LeaseEffect.Reject>()
            (on(LeaseEvent.Ticked(3.seconds)).single() as LeaseEffect.Escalate).ids shouldBe setOf(1L)
            on(LeaseEvent.Returned(1)).single() shouldBe LeaseEffect.CloseSource
            on(LeaseEvent.Returned(1)).shouldBeEmpty()
            on(LeaseEvent.Emptied).shouldBeEmpty()
            (on(LeaseEvent.Asked(a)).single() as LeaseEffect.RefuseClosed).waiter shouldBe a
        }
    })

package dev.carom.pool.dns.internal

import dev.carom.pool.Backend
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsPolicy
import dev.carom.pool.dns.DnsQuestion
import dev.carom.pool.dns.DnsRecord
import dev.carom.pool.dns.DnsType
import dev.carom.pool.dns.RemovalPolicy
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class DnsStateModelTest :
    FunSpec({
        test("in any world the set empties only with reason, and questions come neither too often nor too late") {
            repeat(WORLDS) { seed -> withClue({ "seed $seed" }) { DnsWorld(seed).run(STEPS) } }
        }
    }) {
    private companion object {
        const val WORLDS = 2_000
        const val STEPS = 300
    }
}

/** One random world: answers, failures, denials, late and stray answers; and the rules that hold in it. */
private class DnsWorld(seed: Int) {
    private val dice = Random(seed)
    private val policy = DnsPolicy(
        serveStaleFor = listOf(Duration.ZERO, 20.seconds, 300.seconds, Duration.INFINITE).random(dice),
        negativesToBelieve = dice.nextInt(1, 5),
        maxInterval = 60.seconds,
        roundTimeout = 5.seconds,
        removal = listOf(
            RemovalPolicy.Immediate,
            RemovalPolicy.AfterMisses(dice.nextInt(1, 5)),
            RemovalPolicy.HealthGated,
            RemovalPolicy.Never,
        ).random(dice),
    )
    private val sick = mutableSetOf<Backend>()
    private val state =
        DnsState(DnsService("shop.test", "_db._tcp".takeIf { dice.nextBoolean() }, 80), policy, dice) { it !in sick }
    private val open = mutableListOf<DnsEffect.Ask>()
    private var now = Duration.ZERO
    private var startedAt: Duration? = null
    private var round = 0
    private var inForce = emptySet<Backend>()
    private var lastFound = Duration.ZERO
    private var deniedRounds = 0
    private var roundFound = false
    private var roundFailed = false
    private var mood = 0

    fun run(steps: Int) = repeat(steps) {
        if (dice.nextInt(10) == 0) mood = dice.nextInt(4)
        val stray = dice.nextInt(20) == 0
        when {
            stray -> offer(DnsEvent.Answered(round - 1, QUESTIONS.random(dice), answer(QUESTIONS[0])))
            open.isNotEmpty() && dice.nextInt(12) != 0 -> answerOne()
            else -> tickAtDeadline()
        }
        if (dice.nextInt(10) == 0) inForce.randomOrNull(dice)?.let { sick += it }
        if (dice.nextInt(10) == 0) sick.clear()
        state.nextDeadline.isFinite() shouldBe true
    }

    private fun answerOne() {
        now = minOf(now + dice.nextInt(200).milliseconds, maxOf(now, state.nextDeadline))
        val ask = open.removeAt(dice.nextInt(open.size))
        val answer = answer(ask.question)
        if (answer is DnsAnswer.Failed) roundFailed = true
        if (answer is DnsAnswer.Records && ask.question.type != DnsType.SRV) {
            roundFound = true
            lastFound = now
        }
        offer(DnsEvent.Answered(ask.round, ask.question, answer))
    }

    private fun tickAtDeadline() {
        now = maxOf(now, state.nextDeadline)
        if (open.isNotEmpty() && now >= startedAt!! + policy.roundTimeout) {
            roundFailed = true
            open.clear()
        }
        offer(DnsEvent.Tick)
        // a round that ran out of time may have outlived what it found: then the next is due at once, and no other
        if (state.nextDeadline <= now) offer(DnsEvent.Tick)
        state.nextDeadline shouldBeGreaterThan now
    }

    private fun offer(event: DnsEvent) {
        val effects = state.on(event, now)
        for (effect in effects) {
            when (effect) {
                is DnsEffect.Ask -> asked(effect)
                is DnsEffect.Publish -> published(effect)
                is DnsEffect.Cancel -> open.clear()
                is DnsEffect.Tell -> Unit
            }
        }
    }

    private fun asked(ask: DnsEffect.Ask) {
        if (ask.round != round) {
            startedAt?.let {
                now - it shouldBeGreaterThanOrEqualTo policy.minInterval
                now - it shouldBeLessThanOrEqualTo policy.maxInterval + policy.roundTimeout
            }
            deniedRounds = if (roundFound || roundFailed) 0 else deniedRounds + 1
            round = ask.round
            startedAt = now
            roundFound = false
            roundFailed = false
        }
        open += ask
    }

    private fun published(effect: DnsEffect.Publish) {
        if (effect.backends.isEmpty() && inForce.isNotEmpty()) {
            val denied = !roundFailed && !roundFound && deniedRounds + 1 >= policy.negativesToBelieve
            (denied || now - lastFound >= policy.serveStaleFor) shouldBe true
        }
        val gone = inForce - effect.backends
        when (policy.removal) {
            is RemovalPolicy.Immediate, is RemovalPolicy.AfterMisses -> Unit
            is RemovalPolicy.HealthGated -> gone.filter { it !in sick }.shouldBeEmpty()
            is RemovalPolicy.Never -> gone.shouldBeEmpty()
        }
        inForce = effect.backends
    }

    private fun answer(question: DnsQuestion): DnsAnswer = when (if (dice.nextInt(4) == 0) dice.nextInt(4) else mood) {
        0, 1 -> found(question)

        2 -> DnsAnswer.Failed("dice")

        else -> when (dice.nextInt(3)) {
            0 -> DnsAnswer.NoData(dice.nextLong(5))
            1 -> DnsAnswer.NoName(dice.nextLong(5))
            else -> DnsAnswer.NotImplemented
        }
    }

    private fun found(question: DnsQuestion): DnsAnswer {
        val ttl = listOf(0L, 1L, 5L, 30L, 100_000L, Int.MAX_VALUE.toLong()).random(dice)
        return DnsAnswer.Records(
            List(dice.nextInt(1, 4)) {
                if (question.type == DnsType.SRV) {
                    DnsRecord.Service(question.name, ttl, dice.nextInt(3), 1, 5432, "t${dice.nextInt(4)}.test")
                } else {
                    DnsRecord.Address(question.name, ttl, question.type, "10.0.0.${dice.nextInt(9)}")
                }
            },
        )
    }

    private companion object {
        val QUESTIONS = listOf(DnsQuestion("_db._tcp.shop.test", DnsType.SRV), DnsQuestion("t1.test.", DnsType.A))
    }
}

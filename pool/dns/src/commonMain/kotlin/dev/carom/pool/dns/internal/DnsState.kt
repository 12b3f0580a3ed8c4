package dev.carom.pool.dns.internal

import dev.carom.pool.Backend
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsNotice
import dev.carom.pool.dns.DnsPolicy
import dev.carom.pool.dns.DnsQuestion
import dev.carom.pool.dns.DnsRecord
import dev.carom.pool.dns.DnsType
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Which questions to ask when, and which backends the answers mean.
 *
 * ```
 *            deadline                 SRV answered, or denied and there is a default port
 *   Waiting ──────────► asking SRV ────────────────────────────────────────► asking addresses ──► Waiting
 *      ▲                    │ failed, or denied and nothing to fall back to        (all answered or out of time)
 *      └────────────────────┘
 * ```
 *
 * A negative answer counts; a failure counts for nothing until the set has been unconfirmed for `serveStaleFor`.
 */
internal class DnsState(private val service: DnsService, private val policy: DnsPolicy, private val random: Random) {
    private val memory = Memory(policy.serveStaleFor, policy.negativesToBelieve)
    private var round: DnsRound? = null
    private var rounds = 0
    private var nextRound = Duration.ZERO
    private var published: Set<Backend>? = null
    private var freshUntil = Duration.ZERO
    private var emptyRounds = 0
    private var unsettledRounds = 0

    /** When the next [DnsEvent.Tick] is due; always finite. */
    val nextDeadline: Duration
        get() {
            val next = round?.let { it.startedAt + policy.roundTimeout } ?: nextRound
            return if (mayExpire) minOf(next, staleUntil) else next
        }

    /** A round that has found something ends with a set of its own: nothing expires under it. */
    private val mayExpire get() = unsettledRounds > 0 && !published.isNullOrEmpty() && round?.found != true

    private val staleUntil get() = freshUntil + policy.serveStaleFor

    fun on(event: DnsEvent, now: Duration): List<DnsEffect> = buildList {
        when (event) {
            is DnsEvent.Tick -> tick(now)
            is DnsEvent.Answered -> answered(event, now)
        }
    }

    private fun MutableList<DnsEffect>.tick(now: Duration) {
        val current = round
        when {
            current == null -> if (now >= nextRound) start(now)
            now >= current.startedAt + policy.roundTimeout -> expire(current, now)
        }
        if (mayExpire && now >= staleUntil) {
            memory.expire(now)
            publish(emptySet())
        }
    }

    private fun MutableList<DnsEffect>.start(now: Duration) {
        rounds++
        val begun = DnsRound(rounds, now)
        round = begun
        val question = service.question
        if (question == null) askAddresses(begun, service.plainNames) else ask(begun, question)
        finishIfDone(begun, now)
    }

    private fun MutableList<DnsEffect>.expire(current: DnsRound, now: Duration) {
        add(DnsEffect.Cancel)
        for (question in current.open.toList()) {
            val late = DnsAnswer.Failed("$question: no answer in ${policy.roundTimeout}")
            take(current, question, late, now)
        }
        finishIfDone(current, now)
    }

    private fun MutableList<DnsEffect>.answered(event: DnsEvent.Answered, now: Duration) {
        val current = round ?: return
        if (event.round != current.number || event.question !in current.open) return
        take(current, event.question, event.answer, now)
        finishIfDone(current, now)
    }

    private fun MutableList<DnsEffect>.take(
        current: DnsRound,
        question: DnsQuestion,
        answer: DnsAnswer,
        now: Duration,
    ) {
        current.open -= question
        add(DnsEffect.Tell(DnsNotice.Answered(question, answer)))
        if (question == service.question) {
            takeService(current, question, answer, now)
        } else {
            takeAddresses(current, question, answer, now)
        }
    }

    private fun MutableList<DnsEffect>.takeService(
        current: DnsRound,
        question: DnsQuestion,
        answer: DnsAnswer,
        now: Duration,
    ) = when (answer) {
        is DnsAnswer.Records -> {
            val targets = service.targets(answer, policy.maxTargets)
            if (targets.isEmpty()) {
                current.denial = "$question: the service is absent"
                memory.deny(question)
            } else {
                keep(current, question, answer, now)
                val told = keepAdditional(current, targets.map { it.target }.toSet(), answer.additional, now)
                // RFC 2782, page 4: addresses that came along need not be asked for
                askAddresses(current, targets.map { it.target }.filter { it !in told }.map(::absolute))
            }
        }

        is DnsAnswer.NoData -> serviceDenied(current, question, "no such record", answer.ttlSeconds)

        is DnsAnswer.NoName -> serviceDenied(current, question, "no such name", answer.ttlSeconds)

        is DnsAnswer.NotImplemented ->
            if (service.plainNames.isEmpty()) {
                failed(current, question, "$question: not implemented", now)
            } else {
                serviceDenied(current, question, "not implemented", 0)
            }

        is DnsAnswer.Failed -> failed(current, question, answer.reason, now)
    }

    /**
     * Only a service that is believed to have no SRV record is looked up by its host name: no flapping between the two.
     */
    private fun MutableList<DnsEffect>.serviceDenied(current: DnsRound, question: DnsQuestion, why: String, ttl: Long) {
        memory.deny(question)
        if (memory[question] == null && service.plainNames.isNotEmpty()) {
            askAddresses(current, service.plainNames)
        } else {
            current.denial = "$question: $why"
            current.believed(ttl)
        }
    }

    private fun keepAdditional(
        current: DnsRound,
        targets: Set<String>,
        additional: List<DnsRecord>,
        now: Duration,
    ): Set<String> {
        val useful = additional.filterIsInstance<DnsRecord.Address>()
            .filter { it.type in policy.addresses.types && it.name in targets }
            .groupBy { it.name }
        for ((name, addresses) in useful) {
            for (type in policy.addresses.types) {
                val question = DnsQuestion(absolute(name), type)
                val ofType = addresses.filter { it.type == type }
                current.asked += question
                if (ofType.isEmpty()) addressDenied(current, question, 0) else takeFound(current, question, ofType, now)
            }
        }
        return useful.keys
    }

    private fun takeFound(
        current: DnsRound,
        question: DnsQuestion,
        addresses: List<DnsRecord.Address>,
        now: Duration,
    ) {
        keep(current, question, DnsAnswer.Records(addresses), now)
        current.found = true
    }

    private fun keep(current: DnsRound, question: DnsQuestion, answer: DnsAnswer.Records, now: Duration) {
        val ttlSeconds = answer.records.minOf { it.ttlSeconds }
        current.used(ttlSeconds)
        memory.keep(question, answer, maxOf(now, current.startedAt + clamp(ttlSeconds)))
    }

    private fun clamp(ttlSeconds: Long) = ttlSeconds.seconds.coerceIn(policy.minInterval, policy.maxInterval)

    private fun MutableList<DnsEffect>.askAddresses(current: DnsRound, names: List<String>) {
        for (name in names.distinct()) {
            policy.addresses.types.forEach { ask(current, DnsQuestion(name, it)) }
        }
    }

    private fun MutableList<DnsEffect>.ask(current: DnsRound, question: DnsQuestion) {
        if (!current.asked.add(question)) return
        current.open += question
        add(DnsEffect.Tell(DnsNotice.Asked(question)))
        add(DnsEffect.Ask(current.number, question))
    }

    private fun takeAddresses(
        current: DnsRound,
        question: DnsQuestion,
        answer: DnsAnswer,
        now: Duration,
    ) = when (answer) {
        is DnsAnswer.Records -> {
            val addresses = answer.records.filterIsInstance<DnsRecord.Address>().filter { it.type == question.type }
            if (addresses.isEmpty()) {
                addressDenied(current, question, 0)
            } else {
                takeFound(current, question, addresses, now)
            }
        }

        is DnsAnswer.NoData -> addressDenied(current, question, answer.ttlSeconds)

        is DnsAnswer.NoName -> addressDenied(current, question, answer.ttlSeconds)

        // a server that does not know AAAA answers so for ever
        is DnsAnswer.NotImplemented -> addressDenied(current, question, 0)

        is DnsAnswer.Failed -> failed(current, question, answer.reason, now)
    }

    private fun addressDenied(current: DnsRound, question: DnsQuestion, ttl: Long) {
        if (memory[question] != null) current.denial = "$question: no such record"
        memory.deny(question)
        current.believed(ttl)
    }

    private fun failed(current: DnsRound, question: DnsQuestion, reason: String, now: Duration) {
        current.failure = reason
        memory.fail(question, now)
    }

    private fun MutableList<DnsEffect>.finishIfDone(current: DnsRound, now: Duration) {
        if (current.open.isNotEmpty()) return
        round = null
        settle(current, now)
        nextRound = maxOf(current.startedAt + policy.minInterval, whenNext(current, now))
    }

    private fun MutableList<DnsEffect>.settle(current: DnsRound, now: Duration) {
        emptyRounds = if (current.found || current.failure != null) 0 else emptyRounds + 1
        if (current.found) freshUntil = maxOf(now, current.startedAt + clamp(current.ttlSeconds))
        // a failed or denied SRV question asked for no addresses: what is remembered of them stays
        val complete = current.failure == null && (current.found || emptyRounds >= policy.negativesToBelieve)
        if (complete) memory.retain(current.asked)
        val backends = service.backends(memory, policy)
        if (backends.isNotEmpty() || emptyRounds >= policy.negativesToBelieve) publish(backends)
        val unsettled = current.failure ?: current.denial ?: if (current.found) null else "no addresses"
        unsettledRounds = if (unsettled == null) 0 else unsettledRounds + 1
        if (unsettled != null) add(DnsEffect.Tell(DnsNotice.Stale(published.orEmpty(), unsettled, unsettledRounds)))
    }

    private fun whenNext(current: DnsRound, now: Duration): Duration {
        val thinned = 1 - policy.jitter * random.nextDouble()
        val fresh = if (current.found) {
            current.startedAt + minOf(current.ttlSeconds.seconds * policy.refreshAt, policy.maxInterval) * thinned
        } else {
            now + policy.maxInterval
        }
        if (unsettledRounds == 0) return fresh
        var backoff = policy.retryStart
        repeat(minOf(unsettledRounds - 1, MAX_DOUBLINGS)) { backoff = minOf(backoff * 2, policy.retryMax) }
        val retry = minOf(backoff, current.negativeTtlSeconds.seconds)
        return minOf(fresh, now + retry * thinned)
    }

    private fun MutableList<DnsEffect>.publish(backends: Set<Backend>) {
        val before = published
        if (before == backends) return
        published = backends
        add(DnsEffect.Tell(DnsNotice.Changed(before.orEmpty(), backends)))
        add(DnsEffect.Publish(backends))
    }

    private companion object {
        const val MAX_DOUBLINGS = 40
    }
}

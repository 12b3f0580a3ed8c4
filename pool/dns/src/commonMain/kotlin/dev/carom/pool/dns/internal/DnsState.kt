package dev.carom.pool.dns.internal

import dev.carom.pool.Backend
import dev.carom.pool.dns.BackendHealth
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsNotice
import dev.carom.pool.dns.DnsPolicy
import dev.carom.pool.dns.DnsQuestion
import dev.carom.pool.dns.DnsRecord
import dev.carom.pool.dns.DnsType
import kotlin.random.Random
import kotlin.time.Duration

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
 * A question whose answer is still fresh is passed over. A negative answer counts; a failure counts for nothing until the
 * set has been unconfirmed for `serveStaleFor`.
 */
internal class DnsState(
    private val service: DnsService,
    private val policy: DnsPolicy,
    random: Random,
    health: BackendHealth,
) {
    private val pace = Pace(policy, random)
    private val removals = Removals(policy.removal, policy.maxKept, health)
    private val memory = Memory(policy.serveStaleFor, policy.negativesToBelieve)
    private var round: DnsRound? = null
    private var rounds = 0
    private var nextRound = Duration.ZERO
    private var published: Set<Backend>? = null
    private var freshUntil = Duration.ZERO
    private var emptyRounds = 0
    private var unsettledRounds = 0
    private var confirmedAt = Duration.ZERO

    /** The set was given up as stale: not again before something is found. */
    private var givenUp = false

    /** After a denial the next round doubts what else it was told: SRV records, and other denials. */
    private var doubtful = false

    /** When the next [DnsEvent.Tick] is due; always finite. */
    val nextDeadline: Duration
        get() {
            val next = round?.let { it.startedAt + policy.roundTimeout } ?: nextRound
            return if (mayExpire) minOf(next, staleUntil) else next
        }

    /** A round that has found something ends with a set of its own: nothing expires under it. */
    private val mayExpire get() = unsettledRounds > 0 && !givenUp && !published.isNullOrEmpty() && round?.found != true

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
            givenUp = true
            val left = removals.next(published.orEmpty(), emptySet()) { Removals.GONE }
            publish(left, "not confirmed for ${policy.serveStaleFor} after its TTL")
        }
    }

    private fun MutableList<DnsEffect>.start(now: Duration) {
        rounds++
        val begun = DnsRound(rounds, now)
        round = begun
        val question = service.question
        val known = question?.let { memory.fresh(it, now) }
        when {
            question == null || isBelievedAbsent(question, now) -> askAddresses(begun, service.plainNames, now)

            known != null && !doubtful -> {
                begun.asked += question
                begun.used(known)
                val targets = service.targets(known.answer, policy.maxTargets)
                askAddresses(begun, targets.map { absolute(it.target) }, now)
            }

            else -> ask(begun, question, now)
        }
        finishIfDone(begun, now)
    }

    /** The plain name is asked instead, and the SRV record again when the denial expires. */
    private fun isBelievedAbsent(question: DnsQuestion, now: Duration) =
        !doubtful && memory.isAbsent(question, now) && service.plainNames.isNotEmpty()

    private fun MutableList<DnsEffect>.expire(current: DnsRound, now: Duration) {
        add(DnsEffect.Cancel)
        for (question in current.open.keys.toList()) {
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
        val since = current.open.remove(question) ?: now
        add(DnsEffect.Tell(DnsNotice.Answered(question, answer, (now - since).inWholeMilliseconds)))
        if (answer !is DnsAnswer.Failed) current.answered += question
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
                memory.deny(question, now)
            } else {
                keep(current, question, answer, now)
                val told = keepAdditional(current, targets.map { it.target }.toSet(), answer.additional, now)
                // RFC 2782, page 4: addresses that came along need not be asked for
                askAddresses(current, targets.map { it.target }.filter { it !in told }.map(::absolute), now)
            }
        }

        is DnsAnswer.NoData -> serviceDenied(current, question, "no such record", answer.ttlSeconds, now)

        is DnsAnswer.NoName -> serviceDenied(current, question, "no such name", answer.ttlSeconds, now)

        is DnsAnswer.NotImplemented ->
            if (service.plainNames.isEmpty()) {
                failed(current, question, "$question: not implemented", now)
            } else {
                serviceDenied(current, question, "not implemented", 0, now)
            }

        is DnsAnswer.Failed -> failed(current, question, answer.reason, now)
    }

    /**
     * Only a service that is believed to have no SRV record is looked up by its host name: no flapping between the two.
     */
    private fun MutableList<DnsEffect>.serviceDenied(
        current: DnsRound,
        question: DnsQuestion,
        why: String,
        ttl: Long,
        now: Duration,
    ) {
        memory.deny(question, pace.absentUntil(current.startedAt, ttl))
        if (memory[question] == null && service.plainNames.isNotEmpty()) {
            askAddresses(current, service.plainNames, now)
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
                current.answered += question
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
        val entry = pace.entry(answer, current.startedAt, now)
        current.used(entry)
        memory.keep(question, entry)
    }

    private fun MutableList<DnsEffect>.askAddresses(current: DnsRound, names: List<String>, now: Duration) {
        for (name in names.distinct()) {
            policy.addresses.types.forEach { ask(current, DnsQuestion(name, it), now) }
        }
    }

    /** Asks, unless the answer is still fresh; a denial that is still fresh will do only while nothing is in doubt. */
    private fun MutableList<DnsEffect>.ask(current: DnsRound, question: DnsQuestion, now: Duration) {
        if (!current.asked.add(question)) return
        val known = if (question == service.question) null else memory.fresh(question, now)
        if (known != null) {
            current.used(known)
            current.found = true
            return
        }
        if (!doubtful && memory.isAbsent(question, now)) return
        current.open[question] = now
        current.questions++
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
        memory.deny(question, pace.absentUntil(current.startedAt, ttl))
        current.believed(ttl)
    }

    private fun failed(current: DnsRound, question: DnsQuestion, reason: String, now: Duration) {
        current.failure = reason
        if (memory.fail(question, now)) current.expired += question
    }

    private fun MutableList<DnsEffect>.finishIfDone(current: DnsRound, now: Duration) {
        if (current.open.isNotEmpty()) return
        round = null
        val trouble = settle(current, now)
        nextRound = pace.next(current, unsettledRounds, now)
        val ttlSeconds = current.ttlSeconds.takeIf { current.found }
        val wait = (nextRound - now).inWholeMilliseconds
        val inForce = published.orEmpty()
        val settled =
            DnsNotice.Settled(current.number, current.questions, inForce, removals.kept, ttlSeconds, wait, trouble)
        add(DnsEffect.Tell(settled))
    }

    /** What could not be confirmed, if anything. */
    private fun MutableList<DnsEffect>.settle(current: DnsRound, now: Duration): String? {
        emptyRounds = if (current.found || current.failure != null) 0 else emptyRounds + 1
        if (current.found) {
            freshUntil = maxOf(now, current.freshUntil)
            givenUp = false
        }
        // a failed or denied SRV question asked for no addresses: what is remembered of them stays
        val complete = current.failure == null && (current.found || emptyRounds >= policy.negativesToBelieve)
        if (complete) memory.retain(current.asked)
        val listed = service.backends(memory, policy)
        if (listed.isNotEmpty() || emptyRounds >= policy.negativesToBelieve) inForce(current, listed)
        val trouble = current.failure ?: current.denial ?: if (current.found) null else "no addresses"
        doubtful = current.denial != null || (!current.found && current.failure == null)
        unsettledRounds = if (trouble == null) 0 else unsettledRounds + 1
        if (trouble == null) confirmedAt = now
        val age = (now - confirmedAt).inWholeMilliseconds
        if (trouble != null) add(DnsEffect.Tell(DnsNotice.Stale(published.orEmpty(), trouble, unsettledRounds, age)))
        return trouble
    }

    private fun MutableList<DnsEffect>.inForce(current: DnsRound, listed: Set<Backend>) {
        val denied = !current.found && current.failure == null
        val next = removals.next(published.orEmpty(), listed) { backend ->
            val questions = service.questions(backend)
            when {
                questions.any { it in current.expired } -> Removals.GONE
                denied -> policy.negativesToBelieve
                questions.any { it in current.answered } -> 1
                else -> 0
            }
        }
        val reason = when {
            denied -> "denied $emptyRounds rounds in a row: ${current.denial ?: "no addresses"}"
            else -> "the answers of round ${current.number}"
        }
        publish(next, reason)
    }

    private fun MutableList<DnsEffect>.publish(backends: Set<Backend>, reason: String) {
        val before = published
        if (before == backends) return
        published = backends
        add(DnsEffect.Tell(DnsNotice.Changed(before.orEmpty(), backends, reason)))
        add(DnsEffect.Publish(backends))
    }
}

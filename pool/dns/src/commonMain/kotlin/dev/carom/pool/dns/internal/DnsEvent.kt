package dev.carom.pool.dns.internal

import dev.carom.pool.Backend
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsNotice
import dev.carom.pool.dns.DnsQuestion

/** What happened. */
internal sealed interface DnsEvent {
    /** Time passed. */
    data object Tick : DnsEvent

    /** The answer to a question of round [round]. */
    data class Answered(val round: Int, val question: DnsQuestion, val answer: DnsAnswer) : DnsEvent
}

/** What must be done. */
internal sealed interface DnsEffect {
    data class Ask(val round: Int, val question: DnsQuestion) : DnsEffect

    /** Nobody waits for the questions under way any longer. */
    data object Cancel : DnsEffect

    data class Publish(val backends: Set<Backend>) : DnsEffect

    data class Tell(val notice: DnsNotice) : DnsEffect
}

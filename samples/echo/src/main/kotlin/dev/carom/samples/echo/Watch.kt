package dev.carom.samples.echo

import dev.carom.pool.Backend
import dev.carom.pool.PoolNotice
import dev.carom.pool.SlotStatus
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsNotice
import dev.carom.pool.testkit.DnsBehaviour
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import java.util.concurrent.ConcurrentLinkedQueue

/** Counts what the pool and its resolver say about themselves. */
class Watch(private val zone: EchoZone, private val screen: Screen) {
    private val answers = MutableStateFlow(Answers(0, 0, 0))

    /** Backends that the pool was told are gone. */
    val removed = ConcurrentLinkedQueue<Backend>()

    /** Connections the pool opened. */
    @Volatile
    var opened = 0
        private set

    /** Answers to SRV questions so far. */
    val dns: StateFlow<Answers> get() = answers

    /** Answers to SRV questions: with records, without, and none. */
    data class Answers(val good: Int, val empty: Int, val failed: Int)

    fun on(notice: PoolNotice) {
        if (notice is PoolNotice.BackendRemoved) removed += notice.backend
        if (notice is PoolNotice.SlotChanged && notice.from == SlotStatus.Connecting && notice.to == SlotStatus.Ready) {
            opened++
        }
        screen.notice(notice)
    }

    /** The resolver calls this before it asks again: so DNS answers empty exactly once. */
    fun onDns(notice: DnsNotice) {
        if (notice is DnsNotice.Stale) screen.note("DNS: ${notice.backends.size} backends kept: ${notice.reason}")
        if (notice !is DnsNotice.Answered || notice.question.type.name != "SRV") return
        val now = answers.value
        answers.value = when (notice.answer) {
            is DnsAnswer.Records -> now.copy(good = now.good + 1)

            is DnsAnswer.NoData, is DnsAnswer.NoName -> {
                zone.behaviour = DnsBehaviour.ANSWER
                now.copy(empty = now.empty + 1)
            }

            is DnsAnswer.Failed, is DnsAnswer.NotImplemented -> now.copy(failed = now.failed + 1)
        }
    }
}

package dev.carom.pool.dns.internal

import dev.carom.pool.Backend
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsListener
import dev.carom.pool.dns.DnsLookup
import dev.carom.pool.dns.DnsNotice
import dev.carom.pool.dns.DnsQuestion
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
import kotlin.time.Duration
import kotlin.time.TimeSource

/** Feeds one [DnsState] and does what it says, for one collection. */
internal class DnsShell(
    private val state: DnsState,
    private val lookup: DnsLookup,
    private val listener: DnsListener,
    parallelism: Int,
    private val publish: suspend (Set<Backend>) -> Unit,
) {
    private val answers = Channel<DnsEvent>(Channel.UNLIMITED)
    private val permits = Semaphore(parallelism)
    private val underWay = mutableListOf<Job>()

    suspend fun run(time: TimeSource) {
        val start = time.markNow()
        try {
            coroutineScope {
                while (true) {
                    val event = next(state.nextDeadline - start.elapsedNow())
                    underWay.removeAll { it.isCompleted }
                    state.on(event, start.elapsedNow()).forEach { perform(it) }
                }
            }
        } finally {
            listener.on(DnsNotice.Ended)
        }
    }

    @OptIn(ExperimentalCoroutinesApi::class)
    private suspend fun next(wait: Duration): DnsEvent = select {
        answers.onReceive { it }
        onTimeout(wait) { DnsEvent.Tick }
    }

    private suspend fun CoroutineScope.perform(effect: DnsEffect) {
        when (effect) {
            is DnsEffect.Ask -> underWay += launch {
                val answer = permits.withPermit { ask(effect.question) }
                answers.send(DnsEvent.Answered(effect.round, effect.question, answer))
            }

            is DnsEffect.Cancel -> underWay.forEach { it.cancel() }

            is DnsEffect.Publish -> publish(effect.backends)

            is DnsEffect.Tell -> listener.on(effect.notice)
        }
    }

    private suspend fun ask(question: DnsQuestion): DnsAnswer = try {
        lookup.ask(question)
    } catch (e: CancellationException) {
        // the lookup's own time limit is a failure; our being cancelled is not
        currentCoroutineContext().ensureActive()
        DnsAnswer.Failed("$question: $e")
    } catch (e: Exception) {
        DnsAnswer.Failed("$question: $e")
    }
}

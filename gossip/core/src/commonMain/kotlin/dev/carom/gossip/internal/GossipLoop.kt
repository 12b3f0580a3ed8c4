package dev.carom.gossip.internal

import dev.carom.gossip.Envelope
import dev.carom.gossip.EnvelopeUse
import dev.carom.gossip.GossipCounters
import dev.carom.gossip.GossipException
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.Identity
import dev.carom.gossip.Member
import dev.carom.gossip.Swim
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.SwimStatus
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import kotlin.concurrent.Volatile
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.TimeMark

/** Feeds the [Swim] one event after the other, does what it says, and seals and opens; all in one coroutine. */
@OptIn(ExperimentalCoroutinesApi::class)
internal class GossipLoop<I : Identity<I>>(
    private val swim: Swim<I>,
    private val mail: Couriers<I>,
    private val envelope: Envelope,
    private val policy: GossipPolicy,
    private val start: TimeMark,
    private val board: NoticeBoard<I>,
    private val members: MutableStateFlow<List<Member<I>>>,
) {
    @Volatile
    var identity: I = swim.identity
        private set

    /** Whether the news of our leaving was sent as often as it should. */
    @Volatile
    var sentAll = false
        private set

    private val asked = HashMap<Long, CompletableDeferred<ByteArray?>>()
    private var lastAsked = 0L
    private var unopened = 0L
    private var dropped = 0L
    private var failed = 0L
    private var reopened = 0L
    private var leaveBy = NEVER
    private var spreadAt = NEVER

    suspend fun run() {
        while (true) {
            val now = now()
            if (swim.nextDeadlineNanos <= now) process(SwimEvent.Tick())
            if (spreadAt <= now && spread(now)) break
            receive()
        }
        // What was said last is still on its way to the network interface.
        val flushed = withTimeoutOrNull((leaveBy - now()).nanoseconds) { mail.flush() }
        if (flushed == null) sentAll = false
    }

    /** Whoever still waits when everything has ended. */
    fun refuseRest() {
        while (true) {
            when (val input = mail.inbox.tryReceive().getOrNull() ?: break) {
                is ShellInput.Asked -> input.done?.completeExceptionally(GossipException.Closed(identity))
                is ShellInput.Count -> input.answer.completeExceptionally(GossipException.Closed(identity))
                is ShellInput.Request -> input.answer.complete(null)
                else -> Unit
            }
        }
        asked.values.forEach { it.complete(null) }
        asked.clear()
    }

    private fun now(): Long = start.elapsedNow().inWholeNanoseconds

    private suspend fun receive() {
        val deadline = minOf(swim.nextDeadlineNanos, spreadAt)
        select<Unit> {
            mail.inbox.onReceive(::take)
            mail.packets.onReceive { packet ->
                open(packet, EnvelopeUse.Packet)?.let { process(SwimEvent.PacketReceived(it)) }
            }
            if (deadline != NEVER) onTimeout((deadline - now()).nanoseconds) { }
        }
        // A flood must not keep the others of this thread waiting.
        yield()
    }

    private fun take(input: ShellInput<I>) {
        when (input) {
            is ShellInput.Asked -> askedFor(input)

            is ShellInput.Request -> requested(input)

            is ShellInput.Answer -> answered(input)

            is ShellInput.SendFailed -> {
                failed++
                board.tell(GossipNotice.PacketNotSent(input.to, input.detail))
            }

            is ShellInput.ReceiveFailed -> {
                reopened++
                board.tell(GossipNotice.TransportFailed(input.channel, input.detail, input.retryMillis))
            }

            is ShellInput.SeedsFailed -> board.tell(GossipNotice.SeedsFailed(input.detail, input.retryMillis))

            is ShellInput.ReceiveWorks -> board.tell(GossipNotice.TransportRecovered(input.channel))

            is ShellInput.Count ->
                input.answer.complete(GossipCounters(swim.counters(), unopened, dropped, failed, reopened))

            is ShellInput.Leave -> leave()
        }
    }

    private fun askedFor(input: ShellInput.Asked<I>) {
        if (leaveBy != NEVER) {
            input.done?.completeExceptionally(GossipException.Closed(identity))
            return
        }
        val refused = process(input.event)
        if (refused != null) input.done?.completeExceptionally(refused) else input.done?.complete(Unit)
    }

    private fun requested(input: ShellInput.Request<I>) {
        val request = open(input.bytes, EnvelopeUse.Request)
        if (request == null) {
            input.answer.complete(null)
            return
        }
        val stream = ++lastAsked
        asked[stream] = input.answer
        process(SwimEvent.StreamRequested(stream, request))
        // It answers at once, or never.
        asked.remove(stream)?.complete(null)
    }

    private fun answered(input: ShellInput.Answer<I>) {
        val answer = input.bytes?.let { open(it, EnvelopeUse.Answer) }
        if (answer == null) {
            process(SwimEvent.StreamFailed(input.stream))
        } else {
            process(SwimEvent.StreamAnswered(input.stream, answer))
        }
    }

    private fun leave() {
        if (leaveBy != NEVER) return
        val now = now()
        leaveBy = now + policy.leaveTimeout.inWholeNanoseconds
        if (swim.status != SwimStatus.Defunct) process(SwimEvent.LeaveRequested())
        spreadAt = now
    }

    /** Says again that we leave; true: often enough, or for long enough. */
    private fun spread(now: Long): Boolean {
        sentAll = swim.updatesBacklog == 0 || swim.memberCount == 0
        if (sentAll || now >= leaveBy) return true
        process(SwimEvent.GossipRequested())
        spreadAt = minOf(leaveBy, now + SPREAD.inWholeNanoseconds)
        return false
    }

    private fun open(sealed: ByteArray, use: EnvelopeUse): ByteArray? {
        val opened = envelope.open(sealed, use)
        opened.rejection?.let {
            unopened++
            board.tell(GossipNotice.EnvelopeRejected(it, sealed.size))
        }
        return opened.content
    }

    /** The refusal, if there was one. */
    private fun process(event: SwimEvent<I>): GossipException? {
        val effects = swim.on(event, now())
        identity = swim.identity
        if (effects.any { it is SwimEffect.Notify && it.notice.concernsMembers }) members.value = swim.members()
        var refused: GossipException? = null
        for (effect in effects) {
            when (effect) {
                is SwimEffect.Send -> if (!mail.send(effect.to, seal(effect.packet, EnvelopeUse.Packet))) dropped++

                is SwimEffect.Notify -> board.tell(effect.notice)

                is SwimEffect.OpenStream -> mail.ask(effect, seal(effect.request, EnvelopeUse.Request))

                is SwimEffect.AnswerStream ->
                    asked.remove(effect.stream)?.complete(effect.answer?.let { seal(it, EnvelopeUse.Answer) })

                is SwimEffect.Refuse -> refused = GossipException.Refused(effect.refusal)
            }
        }
        return refused
    }

    private fun seal(content: ByteArray, use: EnvelopeUse): ByteArray = envelope.seal(content, use)

    private companion object {
        /** Between two rounds of telling that we leave. */
        val SPREAD = 100.milliseconds
    }
}

private val GossipNotice<*>.concernsMembers: Boolean
    get() = when (this) {
        is GossipNotice.MemberUp, is GossipNotice.MemberDown, is GossipNotice.MemberSuspected,
        is GossipNotice.MemberCleared, is GossipNotice.MemberRenamed, is GossipNotice.MetadataChanged,
        is GossipNotice.Rejoined, is GossipNotice.Active, is GossipNotice.Idle,
        -> true

        else -> false
    }

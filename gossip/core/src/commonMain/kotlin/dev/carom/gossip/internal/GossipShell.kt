package dev.carom.gossip.internal

import dev.carom.gossip.Envelope
import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipCounters
import dev.carom.gossip.GossipException
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.Identity
import dev.carom.gossip.Member
import dev.carom.gossip.SeedSource
import dev.carom.gossip.Swim
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.Transport
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.Volatile
import kotlin.time.Duration.Companion.minutes
import kotlin.time.TimeMark

/** A [Swim] with its coroutines: one loop that owns it, receivers, and a sender. Decides nothing. */
internal class GossipShell<I : Identity<I>>(
    private val swim: Swim<I>,
    private val transport: Transport<I>,
    envelope: Envelope,
    private val policy: GossipPolicy,
    start: TimeMark,
) : Gossip<I> {
    private val board = NoticeBoard<I>(policy.noticeBuffer)
    private val current = MutableStateFlow<List<Member<I>>>(emptyList())
    private val mail = Couriers(transport, policy)
    private val loop = GossipLoop(swim, mail, envelope, policy, start, board, current)
    private val left = CompletableDeferred<Boolean>()
    private val source = MutableStateFlow<SeedSource<I>?>(null)

    @Volatile
    private var job: Job? = null

    @Volatile
    private var ending = false

    override val isOpen: Boolean get() = !ending && job?.isActive == true

    override val identity: I get() = loop.identity

    override val members: StateFlow<List<Member<I>>> = current.asStateFlow()

    override val notices: Flow<GossipNotice<I>> get() = board.notices

    fun start(scope: CoroutineScope) {
        // Undispatched: the transport is closed even if the scope is cancelled before this coroutine gets a thread.
        job = scope.launch(CoroutineName("gossip ${swim.identity}"), CoroutineStart.UNDISPATCHED) { run() }
    }

    private suspend fun run() {
        try {
            coroutineScope {
                mail.start(this)
                launch { source.collectLatest { it?.let { source -> collect(source) } } }
                loop.run()
                coroutineContext.cancelChildren()
            }
        } finally {
            ending = true
            mail.inbox.close()
            withContext(NonCancellable) {
                withTimeoutOrNull(policy.closeTimeout) { guardedClose() }
            }
            current.value = emptyList()
            loop.refuseRest()
            left.complete(loop.sentAll)
            board.close()
        }
    }

    /** A source never ends the member: whatever ends it is told, and it is collected again after a pause. */
    private suspend fun collect(source: SeedSource<I>) {
        while (true) {
            val failure = failureOf { source.seeds().collect(::seeds) } ?: return
            val pause = minOf(policy.swim.seedInterval, LONGEST_PAUSE)
            mail.offer(ShellInput.SeedsFailed(failure, pause.inWholeMilliseconds))
            delay(pause)
        }
    }

    private suspend fun guardedClose() {
        failureOf { transport.close() }
    }

    override suspend fun join(seeds: List<I>) {
        if (!mail.offer(ShellInput.Asked(SwimEvent.SeedsResolved(seeds.toList()), null))) throw closed()
        val found = withTimeoutOrNull(policy.joinTimeout) {
            coroutineScope {
                val end = launch { awaitClosed() }
                val member = launch { members.first { it.isNotEmpty() } }
                select {
                    member.onJoin { true }
                    end.onJoin { false }
                }.also { coroutineContext.cancelChildren() }
            }
        }
        if (found == null) throw GossipException.JoinTimedOut(seeds.size, policy.joinTimeout.toString())
        if (!found) throw closed()
    }

    override fun seeds(seeds: List<I>) {
        mail.offer(ShellInput.Asked(SwimEvent.SeedsResolved(seeds.toList()), null))
    }

    override fun follow(source: SeedSource<I>) {
        this.source.value = source
    }

    override suspend fun leave(): Boolean {
        ending = true
        mail.offer(ShellInput.Leave(left))
        awaitClosed()
        return left.await()
    }

    override suspend fun close() {
        job?.cancel()
        awaitClosed()
    }

    override suspend fun awaitClosed() {
        job?.join()
    }

    override suspend fun broadcast(item: ByteArray): Unit = ask(SwimEvent.BroadcastAdded(item.copyOf()))

    override suspend fun updateMetadata(metadata: ByteArray): Unit =
        ask(SwimEvent.MetadataChangeRequested(metadata.copyOf()))

    override suspend fun changePolicy(policy: SwimPolicy) {
        val most = this.policy.swim.maxPacketSize
        require(policy.maxPacketSize <= most) {
            "maxPacketSize must stay at most $most, was ${policy.maxPacketSize}"
        }
        ask(SwimEvent.PolicyChangeRequested(policy))
    }

    override suspend fun counters(): GossipCounters {
        val answer = CompletableDeferred<GossipCounters>()
        return await(ShellInput.Count(answer), answer)
    }

    private suspend fun ask(event: SwimEvent<I>) {
        val done = CompletableDeferred<Unit>()
        await(ShellInput.Asked(event, done), done)
    }

    private suspend fun <T> await(input: ShellInput<I>, answer: CompletableDeferred<T>): T {
        if (!mail.offer(input)) throw closed()
        // The loop may be cancelled with the input in its hands.
        val end = job?.invokeOnCompletion { answer.completeExceptionally(closed()) }
        try {
            return answer.await()
        } finally {
            end?.dispose()
        }
    }

    private fun closed() = GossipException.Closed(identity)

    override fun toString(): String = "Gossip($identity, ${members.value.size} other members)"

    private companion object {
        val LONGEST_PAUSE = 1.minutes
    }
}

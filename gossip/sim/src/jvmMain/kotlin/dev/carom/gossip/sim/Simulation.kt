package dev.carom.gossip.sim

import dev.carom.gossip.EnvelopeUse
import dev.carom.gossip.MemberCodec
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.NativeCodec
import dev.carom.gossip.Swim
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.SwimPolicy
import java.util.PriorityQueue
import java.util.function.BooleanSupplier
import kotlin.random.Random

/**
 * Members in virtual time, on a network of your making. The same [seed] and the same calls give the same run, event by
 * event. For one thread.
 *
 * @property seed of all dice.
 */
public class Simulation(public val seed: Long) {
    private class Due(val at: Long, val order: Long, val action: Runnable)

    /** An open stream, from the asker's side. */
    private class Conversation(val asker: SimNode, val stream: Long, val host: Int)

    private val random = Random(seed)
    private val queue = PriorityQueue<Due>(compareBy<Due> { it.at }.thenBy { it.order })
    private var order = 0L
    private val hosts = LinkedHashMap<Int, SimNode>()
    private val lives = HashMap<Int, Long>()
    private val conversations = HashMap<Long, Conversation>()
    private var nextConversation = 0L
    private val listeners = ArrayList<SimListener>()

    /** The network between them. */
    public val network: SimNetwork = SimNetwork(Random(seed xor 0x5DEECE66DL))

    /** Nanoseconds since the simulation began. */
    public var nanos: Long = 0
        private set

    /** Events handled: packets, ticks, streams. */
    public var steps: Long = 0
        private set

    /** Members that run, by host. */
    public val nodes: Collection<SimNode> get() = hosts.values

    /** The member that runs on [host]; null: none. */
    public fun node(host: Int): SimNode? = hosts[host]

    /** [listener] is told all notices from now on. */
    public fun listen(listener: SimListener) {
        listeners += listener
    }

    /** Starts a member with [NativeCodec], an exact clock, and [seeds]. */
    public fun start(host: Int, policy: SwimPolicy, vararg seeds: Int): SimNode =
        start(host, policy, NativeCodec(SimId.Codec()), seeds.toList(), 0.0)

    /**
     * Starts a member on a host where none runs; each start on one host is another life.
     *
     * @param seeds hosts it knocks at.
     * @param skew by how much its clock is too fast: 0.01 gains a second in a hundred. Above -0.5, below 0.5.
     */
    public fun start(
        host: Int,
        policy: SwimPolicy,
        codec: MemberCodec<SimId>,
        seeds: List<Int>,
        skew: Double,
    ): SimNode {
        require(host >= 0) { "host must be at least 0, was $host" }
        require(host !in hosts) { "a member runs on host $host already" }
        require(skew > -0.5 && skew < 0.5) { "skew must lie between -0.5 and 0.5, was $skew" }
        // Renewals of an earlier life stay below the next one.
        val life = (lives[host] ?: 0L) + LIVES
        lives[host] = life
        val swim = Swim(SimId(host, life), policy, codec, Random(random.nextLong()))
        val node = SimNode(host, swim, random.nextLong(HOUR), 1 + skew)
        hosts[host] = node
        submit(node, SwimEvent.SeedsResolved(seeds.map { SimId(it, 0) }))
        return node
    }

    /** Makes all members know each other at once, as if they had been running for long. */
    public fun acquaint() {
        val all = hosts.values.map { MemberUpdate(it.swim.identity) }
        for (node in hosts.values) {
            val others = all.filter { it.id.host != node.host }.shuffled(random)
            submit(node, SwimEvent.UpdatesLearned(others, false))
        }
    }

    /** Ends a member without a word. Its host answers nothing from now on. */
    public fun crash(node: SimNode) {
        node.running = false
        if (hosts[node.host] === node) hosts.remove(node.host)
    }

    /**
     * Stops a member's process for so long. Packets wait for it, as many as a socket's buffer holds; its clock goes on.
     */
    public fun pause(node: SimNode, millis: Long) {
        node.pausedUntil = maxOf(node.pausedUntil, nanos + millis * MILLI)
        after(millis * MILLI) { resume(node) }
    }

    /** Hands [event] to [node] now. */
    public fun submit(node: SimNode, event: SwimEvent<SimId>) {
        if (!node.running) return
        if (nanos < node.pausedUntil) {
            if (node.inbox.size < INBOX) node.inbox.addLast { submit(node, event) }
            return
        }
        steps++
        for (effect in node.swim.on(event, node.local(nanos))) act(node, effect)
        schedule(node)
    }

    /** Lets so much time pass. */
    public fun runMillis(millis: Long) {
        runUntil(nanos + millis * MILLI)
    }

    /**
     * Lets time pass until [condition] holds, looking every [everyMillis]; false: it did not within [millis].
     */
    public fun awaitMillis(millis: Long, everyMillis: Long, condition: BooleanSupplier): Boolean {
        val end = nanos + millis * MILLI
        while (!condition.asBoolean) {
            if (nanos >= end) return false
            runUntil(minOf(end, nanos + everyMillis * MILLI))
        }
        return true
    }

    /** Does [action] after so many nanoseconds. */
    public fun after(delayNanos: Long, action: Runnable) {
        queue += Due(nanos + delayNanos, order++, action)
    }

    /** Whether every running member believes exactly the running members active. */
    public fun converged(): Boolean {
        val all = hosts.keys
        // Counting is cheap, comparing is not: it is done when all counts are right.
        return hosts.values.all { it.swim.memberCount == all.size - 1 } && hosts.values.all { it.view() == all }
    }

    private fun runUntil(end: Long) {
        while (true) {
            val due = queue.peek()
            if (due == null || due.at > end) break
            queue.poll()
            nanos = maxOf(nanos, due.at)
            due.action.run()
        }
        nanos = maxOf(nanos, end)
    }

    private fun resume(node: SimNode) {
        if (!node.running || nanos < node.pausedUntil) return
        // Nobody knows whether a process that wakes up looks at its clock first, or at its socket.
        val clockFirst = random.nextBoolean()
        if (clockFirst) submit(node, SwimEvent.Tick())
        while (node.inbox.isNotEmpty()) node.inbox.removeFirst()()
        node.tickAt = Long.MAX_VALUE
        schedule(node)
    }

    private fun schedule(node: SimNode) {
        val deadline = node.global(node.swim.nextDeadlineNanos)
        if (deadline == Long.MAX_VALUE || (node.tickAt <= deadline && node.tickAt >= nanos)) return
        val at = maxOf(deadline, nanos)
        node.tickAt = at
        queue += Due(at, order++) {
            if (node.tickAt == at) {
                node.tickAt = Long.MAX_VALUE
                tick(node)
            }
        }
    }

    private fun tick(node: SimNode) {
        if (!node.running || nanos < node.pausedUntil) return
        if (node.swim.nextDeadlineNanos <= node.local(nanos)) submit(node, SwimEvent.Tick()) else schedule(node)
    }

    private fun act(node: SimNode, effect: SwimEffect<SimId>) {
        when (effect) {
            is SwimEffect.Send -> {
                val sealed = node.envelope.seal(effect.packet, EnvelopeUse.Packet)
                for (delay in network.copies(node.host, effect.to.host)) {
                    after(delay) { deliver(effect.to.host, sealed) }
                }
            }

            is SwimEffect.Notify -> listeners.forEach { it.told(node, effect.notice, nanos) }

            is SwimEffect.OpenStream -> open(node, effect)

            is SwimEffect.AnswerStream -> answer(node, effect)

            is SwimEffect.Refuse -> Unit
        }
    }

    /** Puts a datagram at the door of [host], as anybody on the network can. */
    public fun deliver(host: Int, datagram: ByteArray) {
        val node = hosts[host] ?: return
        node.open(datagram, EnvelopeUse.Packet)?.let { submit(node, SwimEvent.PacketReceived(it)) }
    }

    private fun open(node: SimNode, effect: SwimEffect.OpenStream<SimId>) {
        val request = node.envelope.seal(effect.request, EnvelopeUse.Request)
        node.streamBytes += request.size
        val number = nextConversation++
        val host = effect.to.host
        conversations[number] = Conversation(node, effect.stream, host)
        after(effect.timeoutNanos) { fail(number) }
        if (!network.reaches(node.host, host) || !network.reaches(host, node.host)) return
        // A handshake first.
        after(network.delay() + network.delay() + network.delay()) {
            val peer = hosts[host]
            val opened = peer?.open(request, EnvelopeUse.Request)
            if (opened == null) fail(number) else submit(peer, SwimEvent.StreamRequested(number, opened))
        }
    }

    private fun answer(node: SimNode, effect: SwimEffect.AnswerStream<SimId>) {
        val conversation = conversations[effect.stream] ?: return
        val answer = effect.answer?.let { node.envelope.seal(it, EnvelopeUse.Answer) } ?: return fail(effect.stream)
        node.streamBytes += answer.size
        if (!network.reaches(node.host, conversation.asker.host)) return
        after(network.delay()) {
            val asker = conversation.asker
            val opened = asker.open(answer, EnvelopeUse.Answer)
            when {
                opened == null -> fail(effect.stream)

                conversations.remove(effect.stream) != null ->
                    submit(asker, SwimEvent.StreamAnswered(conversation.stream, opened))
            }
        }
    }

    private fun fail(number: Long) {
        val conversation = conversations.remove(number) ?: return
        submit(conversation.asker, SwimEvent.StreamFailed(conversation.stream))
    }

    private companion object {
        const val MILLI = 1_000_000L
        const val HOUR = 3_600_000_000_000L

        /** Packets and streams that wait for a paused process. */
        const val INBOX = 256

        /** Between two lives of one host there is room for so many renewals. */
        const val LIVES = 1_000_000L
    }
}

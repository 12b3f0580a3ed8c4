package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body
import io.kotest.core.spec.style.FunSpec
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * Worlds of real states on both ends of honest pipes, which keep order, obey pauses and may break. At the end everything is
 * accounted for: each message that was accepted has been delivered once, or counted as dropped, or was on a pipe that broke.
 */
class HonestWorldTest :
    FunSpec({
        val worlds = System.getProperty("carom.worlds")?.toIntOrNull() ?: 2_000

        test("PUSH and PULL: nothing is lost but with its pipe, nothing is doubled, in $worlds worlds") {
            for (seed in 1..worlds) World(seed, { PushState() }, { PullState(limit = 3) }).exchange(copies = false)
        }

        test("PAIR: one peer after another, and nothing is lost but with its pipe, in $worlds worlds") {
            for (seed in 1..worlds) World(seed, { PairState() }, { PairState(limit = 2) }).exchange(copies = false)
        }

        test("PUB and SUB: each subscriber gets, or is known to have lost, each message, in $worlds worlds") {
            for (seed in 1..worlds) {
                World(seed, {
                    PubState(limit = 3)
                }, { SubState(limit = 4) }).exchange(copies = true)
            }
        }

        test("BUS: each direct peer gets, or is known to have lost, each message, in $worlds worlds") {
            for (seed in 1..worlds) {
                World(seed, {
                    BusState(sendLimit = 3)
                }, { BusState(receiveLimit = 2) }).exchange(copies = true)
            }
        }

        test("REQ and REP: every request is answered with its own answer, whatever breaks, in $worlds worlds") {
            for (seed in 1..worlds) {
                World(seed, { ReqState(5.seconds, it) }, { ReplierState(limit = 3) }).ask()
            }
        }
    })

private class World(private val seed: Int, left: (Random) -> SocketState, right: (Random) -> SocketState) {
    private class Pipe(val id: Int, val left: Node, val right: Node) {
        /** Written and not yet read, from the left and from the right. */
        val toRight = ArrayDeque<Body>()
        val toLeft = ArrayDeque<Body>()
        val paused = HashSet<Node>()

        fun towards(node: Node) = if (node === right) toRight else toLeft
    }

    private class Node(val state: SocketState)

    private val random = Random(seed)
    private val lefts = List(random.nextInt(1, 4)) { Node(left(Random(seed + it))) }
    private val rights = List(random.nextInt(1, 4)) { Node(right(Random(seed - it))) }
    private val pipes = LinkedHashMap<Int, Pipe>()
    private val delivered = HashMap<String, Int>()

    /** Put into words only when they are read. */
    private val log = ArrayList<() -> String>()
    private val waiting = HashMap<Long, String>()
    private var now = Duration.ZERO
    private var lastPipe = 0
    private var calls = 0L
    private var accepted = 0
    private var written = 0
    private var read = 0
    private var dropped = 0
    private var broken = 0
    private var due = 0
    private var unsent = 0
    private var crossed = false

    /** Lefts send, rights receive; with [copies] each message goes to every pipe. */
    fun exchange(copies: Boolean) = reported {
        for (node in rights) if (node.state is SubState) on(node, SocketEvent.SubscribeCalled(++calls, text("")))
        repeat(150) {
            when (random.nextInt(10)) {
                0 -> connect()
                9 -> cancel()
                1 -> if (random.nextInt(4) == 0) breakOne()
                2, 3, 4 -> send(lefts.random(random))
                5, 6 -> on(rights.random(random), SocketEvent.ReceiveCalled(++calls))
                else -> transport()
            }
        }
        crossed = false
        settle()
        val received = delivered.values.sum()
        if (!copies) check(delivered.values.all { it == 1 }) { "doubled: ${delivered.filterValues { it > 1 }}" }
        if (copies) {
            check(due == written + unsent) { "$due copies due: $written written, $unsent dropped before" }
            check(read == received + dropped) { "$read read: $received delivered, $dropped dropped" }
        } else {
            check(accepted == received + broken + dropped) {
                "$accepted accepted: $received delivered, $broken broken, $dropped dropped"
            }
        }
        check(written == read + broken) { "$written written: $read read, $broken broken" }
    }

    /** Lefts ask, rights answer with the question in upper case. */
    fun ask() = reported {
        repeat(120) {
            when (random.nextInt(8)) {
                0 -> connect()
                1 -> if (random.nextInt(3) == 0) breakOne()
                2, 3 -> send(lefts.random(random))
                4, 5 -> on(rights.random(random), SocketEvent.ReceiveCalled(++calls))
                6 -> tick()
                else -> transport()
            }
        }
        for (it in lefts) connect(it, rights.first())
        var rounds = 0
        while (waiting.isNotEmpty()) {
            check(rounds++ < 200) { "never answered: $waiting" }
            settle()
            tick()
        }
    }

    private fun connect() {
        connect(lefts.random(random), rights.random(random))
    }

    private fun connect(left: Node, right: Node): Int {
        val pipe = Pipe(++lastPipe, left, right)
        pipes[pipe.id] = pipe
        on(right, SocketEvent.PipeAttached(pipe.id))
        if (pipe.id in pipes) on(left, SocketEvent.PipeAttached(pipe.id))
        return pipe.id
    }

    /** What was on the way is lost, and counted here. */
    private fun breakOne() {
        val pipe = pipes.values.randomOrNull(random) ?: return
        pipes.remove(pipe.id)
        broken += pipe.toRight.size + pipe.toLeft.size
        on(pipe.left, SocketEvent.PipeDetached(pipe.id))
        on(pipe.right, SocketEvent.PipeDetached(pipe.id))
    }

    private fun send(node: Node) {
        val text = "m${++calls}"
        if (node.state is ReqState) waiting[calls] = text
        due += pipes.values.count { it.left === node }
        on(node, SocketEvent.SendCalled(calls, text(text)))
    }

    /** A call that may have been answered long ago, or a receive that is answered in this very moment. */
    private fun cancel() {
        val call = 1 + random.nextLong(calls + 1)
        if (random.nextBoolean()) {
            crossed = true
        } else {
            for (node in lefts + rights) on(node, SocketEvent.CallCancelled(call))
        }
    }

    private fun tick() {
        now += random.nextInt(3_000).milliseconds
        for (node in lefts) on(node, SocketEvent.Tick)
    }

    /** One frame moves on one pipe, if its reader takes it. */
    private fun transport(pipe: Pipe? = pipes.values.randomOrNull(random)): Boolean {
        if (pipe == null) return false
        val node =
            listOf(pipe.left, pipe.right).filter {
                it !in pipe.paused && pipe.towards(it).isNotEmpty()
            }.randomOrNull(random)
                ?: return false
        val frame = pipe.towards(node).removeFirst()
        read++
        on(node, SocketEvent.FrameReceived(pipe.id, frame))
        on(if (node === pipe.left) pipe.right else pipe.left, SocketEvent.Flushed(pipe.id))
        return true
    }

    /** Until nothing moves any more. Senders that still wait have nobody to send to. */
    private fun settle() {
        var moved = true
        while (moved) {
            moved = pipes.values.toList().count { transport(it) } > 0
            for (node in rights) {
                val before = delivered.values.sum()
                on(node, SocketEvent.ReceiveCalled(++calls))
                if (delivered.values.sum() > before) moved = true else on(node, SocketEvent.CallCancelled(calls))
            }
        }
    }

    private fun on(node: Node, event: SocketEvent) {
        val effects = node.state.on(event, now)
        val (then, caused) = now to effects.toList()
        log += { "$then $event -> $caused" }
        for (effect in effects) obey(node, effect)
    }

    private fun obey(node: Node, effect: SocketEffect) {
        when (effect) {
            is SocketEffect.Transmit -> {
                val pipe = pipes.getValue(effect.pipe)
                pipe.towards(if (node === pipe.left) pipe.right else pipe.left).addLast(payload(effect.frame))
                written++
            }

            is SocketEffect.Pause -> pipes[effect.pipe]?.paused?.add(node)

            is SocketEffect.Resume -> pipes[effect.pipe]?.paused?.remove(node)

            is SocketEffect.Done -> accepted++

            is SocketEffect.Deliver -> deliver(node, effect)

            is SocketEffect.Drop -> if (node in rights) dropped += effect.count else unsent += effect.count

            is SocketEffect.Fail -> error("$effect")

            is SocketEffect.Cut -> error("$effect")

            is SocketEffect.Reject -> pipes.remove(effect.pipe)?.let { pipe ->
                on(if (node === pipe.left) pipe.right else pipe.left, SocketEvent.PipeDetached(pipe.id))
            }
        }
    }

    private fun deliver(node: Node, effect: SocketEffect.Deliver) {
        val text = effect.message.body.text()
        when (node.state) {
            is ReqState -> {
                val question = checkNotNull(waiting.remove(effect.call)) { "answered twice: $effect" }
                check(text == question.uppercase()) { "asked $question, got $text" }
            }

            is ReplierState -> {
                delivered.merge(text, 1, Int::plus)
                on(node, SocketEvent.ReplyCalled(++calls, effect.message.request, text(text.uppercase())))
            }

            else -> if (crossed) {
                crossed = false
                on(node, SocketEvent.MessageReturned(effect.message))
            } else {
                delivered.merge(text, 1, Int::plus)
            }
        }
    }

    private fun reported(live: () -> Unit) {
        try {
            live()
        } catch (e: Throwable) {
            throw AssertionError("seed $seed: ${e.message}\n${log.takeLast(40).joinToString("\n") { it() }}", e)
        }
    }
}

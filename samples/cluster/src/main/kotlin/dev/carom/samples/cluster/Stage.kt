package dev.carom.samples.cluster

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.NodeId
import dev.carom.pool.Pool
import dev.carom.pool.net.TcpConnection
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** The processes and what is done to them, timed. */
class Stage(
    private val observer: Gossip<NodeId>,
    private val pool: Pool<TcpConnection>,
    private val load: Load,
    private val keyHex: String,
    private val patience: Int,
    private val step: (String) -> Unit,
) {
    private val checks = mutableListOf<Check>()
    private val started = mutableListOf<MemberProcess>()
    private var members = emptyList<MemberProcess>()
    private val excused = mutableSetOf<Int>()
    private var paused: MemberProcess? = null

    /** Starts five processes, the last of them in Java, and waits until all see all. */
    suspend fun open() {
        step("start five processes")
        members = List(MEMBERS) { start("member${it + 1}", it == MEMBERS - 1, 0) }
        // Starting JVMs takes what it takes; the time that counts begins when they run.
        val ready = withTimeoutOrNull(STARTING * patience) { members.forEach { it.awaitReady() } }
        checkNotNull(ready) { "not ready: ${members.filter { it.ready.value == null }.map { it.complaints }}" }
        timed("five processes and this one see each other", 15.seconds) { awaitView(members) }
    }

    /** Every process answers through the pool. */
    suspend fun serve() {
        timed("the pool uses all five", 15.seconds) { awaitPool(members) }
        timed("all five answer", 15.seconds) { while (load.names.size < MEMBERS) delay(POLL) }
    }

    /** SIGKILL. */
    suspend fun kill() {
        step("kill -9 ${members[1].name}")
        val victim = members[1]
        excused += victim.awaitReady().servicePort
        victim.kill()
        timed("all know of the kill, the pool too", 30.seconds) {
            awaitView(members - victim)
            awaitPool(members - victim)
        }
    }

    /** SIGSTOP, and SIGCONT before its suspicion is over. */
    suspend fun pause() {
        val paused = members[2]
        step("pause ${paused.name} for $PAUSE")
        val living = members - members[1]
        excused += paused.awaitReady().servicePort
        paused.pause()
        delay(PAUSE)
        paused.resume()
        timed("the paused one is seen by all again", 15.seconds) { awaitView(living) }
        this.paused = paused
    }

    /** The killed one again, at its address, as another life of it. */
    suspend fun restart() {
        val old = members[1].awaitReady()
        step("start ${members[1].name} again at ${old.address}")
        val again = start(members[1].name, false, old.gossipPort)
        val ready = withTimeoutOrNull(STARTING * patience) { again.awaitReady() }
        checkNotNull(ready) { "not ready: ${again.complaints}" }
        check(ready.identity != old.identity) { "the same identity $ready twice" }
        members = members.map { if (it == members[1]) again else it }
        timed("all see the restarted one, under its new identity", 20.seconds) {
            awaitView(members)
            awaitPool(members)
        }
    }

    /** A new key everywhere, step by step, while they talk; [own] does it to this process. */
    suspend fun rotate(new: String, own: (step: String, keyHex: String) -> Unit) {
        step("rotate the key")
        val downs = members.sumOf { it.downs.size }
        val begin = TimeSource.Monotonic.markNow()
        for ((order, key) in listOf("add" to new, "use" to new, "remove" to keyHex)) {
            own(order, key)
            members.forEach { it.command("$order $key") }
            // What was sealed before is still under way; after a removal nobody could open it.
            delay(Cluster.policy.swim.probePeriod * (if (order == "use") 4 * patience else 1))
        }
        val took = begin.elapsedNow()
        // Everybody has probed everybody with the new key.
        delay(Cluster.policy.swim.probePeriod * MEMBERS)
        members.forEach { it.command("count") }
        val unopened = members.sumOf { it.unopened } + observer.counters().unopened
        val dead = members.sumOf { it.downs.size } - downs
        checks +=
            Check("packets lost to the rotation", "$unopened in ${took.inWholeMilliseconds} ms", "0", unopened == 0L)
        checks += Check("declared dead in the rotation", "$dead", "0", dead == 0)
        timed("all see all after the rotation", 15.seconds) { awaitView(members) }
    }

    /** Whoever still has the old key is not heard. */
    suspend fun refuseOldKey(open: suspend (CoroutineScope) -> Gossip<NodeId>) = coroutineScope {
        step("somebody comes with the old key")
        val told = async(start = CoroutineStart.UNDISPATCHED) {
            withTimeoutOrNull(GIVE_UP * patience) { observer.notices.first { it is GossipNotice.EnvelopeRejected } }
        }
        val stranger = open(this)
        val rejected = told.await() != null
        val heard = stranger.members.value.size + members.count { stranger.identity.toString() in it.members.value }
        stranger.close()
        checks +=
            Check(
                "who has the old key",
                if (rejected) "rejected, seen by $heard" else "not noticed",
                "rejected",
                rejected && heard == 0,
            )
    }

    /** One drains and leaves; the pool lets go of it first. */
    suspend fun leave() {
        checks += pausedToDeath()
        val leaving = members.last()
        step("${leaving.name} drains and leaves")
        val rest = members - leaving
        val port = leaving.awaitReady().servicePort
        val broken = load.broken.count { it == port }
        timed("it leaves, and all know", 45.seconds) {
            leaving.command("leave")
            awaitView(rest)
            awaitPool(rest)
        }
        val more = load.broken.count { it == port } - broken
        checks +=
            Check(
                "work broken by its leaving",
                "$more (left in peace: ${leaving.leftWell})",
                "0",
                more == 0 && leaving.leftWell == true,
            )
        val well = leaving.endedWell(ENDING * patience)
        checks += Check("it ended by itself", "$well", "true", well)
        members = rest
    }

    /** Ends the others. */
    suspend fun end() {
        step("end")
        members.forEach { it.command("leave") }
        val well = members.count { it.endedWell(ENDING * patience) }
        checks += Check("processes that ended by themselves", "$well", "${members.size}", well == members.size)
    }

    fun verdict(): List<Check> {
        val others = load.broken.count { it !in excused }
        load.refused.take(SHOWN).forEach { step("refused: $it") }
        started.flatMap { it.complaints }.take(SHOWN).forEach { step("complaint: $it") }
        return checks + listOf(
            Check(
                "asks that broke",
                "${load.broken.size - others} at the killed and the paused, $others elsewhere",
                "0 elsewhere",
                others == 0,
            ),
            Check("claims refused", "${load.refused.size} of ${load.answers}", "0", load.refused.isEmpty()),
            Check(
                "complaints of processes",
                "${started.sumOf {
                    it.complaints.size
                }}",
                "0",
                started.all { it.complaints.isEmpty() },
            ),
        )
    }

    /** Whatever happened: no process is left. */
    fun close(): Unit = started.forEach { it.close() }

    /** Looked at long after: a suspicion may have run out after the pause. */
    private suspend fun pausedToDeath(): Check {
        val identity = paused?.awaitReady()?.identity
        val dead = members.count { identity in it.downs }
        val suspected = members.count { identity in it.suspicions }
        return Check("declared dead for its pause", "by $dead (suspected by $suspected)", "by 0", dead == 0)
    }

    private fun start(name: String, inJava: Boolean, port: Int): MemberProcess {
        val program = "dev.carom.samples.cluster." + if (inJava) "MemberFromJava" else "MemberProgram"
        return MemberProcess(name, program, port, listOf(observer.identity.at.toString()), keyHex).also {
            started += it
        }
    }

    private suspend fun timed(name: String, within: Duration, wait: suspend () -> Unit) {
        val bound = within * patience
        val begin = TimeSource.Monotonic.markNow()
        val took = withTimeoutOrNull(bound) {
            wait()
            begin.elapsedNow()
        }
        val measured = took?.let { "${it.inWholeMilliseconds} ms" } ?: "not in $bound"
        checks += Check(name, measured, "${bound.inWholeMilliseconds} ms", took != null)
        step("$name: $measured")
    }

    /** [living] and this one see each other and nobody else. */
    private suspend fun awaitView(living: List<MemberProcess>) {
        val all = living.map { it.awaitReady().identity }.toSet() + observer.identity.toString()
        val views = living.map { it.members }
        for ((member, view) in living.zip(views)) view.first { it == all - member.awaitReady().identity }
        observer.members.first { seen -> seen.map { it.id.toString() }.toSet() == all - observer.identity.toString() }
        combine(views) { now ->
            now.withIndex().all { (i, it) -> it == all - living[i].ready.value!!.identity }
        }.first { it }
    }

    private suspend fun awaitPool(living: List<MemberProcess>) {
        val ports = living.map { it.awaitReady().servicePort }.toSet()
        pool.snapshot.first { now ->
            now.backends.filter { it.online && !it.removed }.map { it.backend.port }.toSet() == ports
        }
    }

    private companion object {
        const val MEMBERS = 5
        const val SHOWN = 5
        val STARTING = 60.seconds
        val GIVE_UP = 15.seconds
        val ENDING = 10.seconds
        val POLL = 20.milliseconds
        val PAUSE = 3.seconds
    }
}

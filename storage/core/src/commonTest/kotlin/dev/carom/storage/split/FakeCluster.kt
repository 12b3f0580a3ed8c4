package dev.carom.storage.split

import dev.carom.storage.Capabilities
import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.PoolCore
import dev.carom.storage.SessionTxn
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageKind
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnCore
import dev.carom.storage.TxnPolicy
import dev.carom.storage.openStorage
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** A server with a copy of the primary's log, as far as it has it. */
class FakeServer(val name: String, val cluster: FakeCluster) {
    var up = true

    /** How far behind it applies the log. */
    var lag = Duration.ZERO
    val isPrimary: Boolean get() = cluster.primary === this

    /** Whether it refuses writes although nobody has noticed that it is no primary any more. */
    var demoted = false
    var asked = 0

    /** How much of the log it shows. */
    fun visible(): Int {
        if (isPrimary) return cluster.log.size
        // The log is in order of time; what is not there yet is at its end. And what was shown once stays.
        var there = cluster.log.size
        while (there > shown && cluster.log[there - 1].at + lag > cluster.now) there--
        shown = there
        return there
    }

    private var shown = 0
}

class LogEntry(val value: String, val at: Duration)

/** A session; a transaction of its own reads what was there when it began. */
class ClusterSession(val server: FakeServer) {
    /** How much of the log its transaction sees. */
    var snapshot: Int? = null
    val pending = mutableListOf<String>()
}

class Demoted : RuntimeException("read-only transaction: 25006")

/** A primary and replicas that follow it, with scripted lags. */
class FakeCluster(private val clock: () -> Duration) {
    val now: Duration get() = clock()
    val log = mutableListOf<LogEntry>()
    val servers = mutableListOf<FakeServer>()
    var primary: FakeServer? = null
    val reports = mutableListOf<String>()

    fun server(name: String) = FakeServer(name, this).also { servers += it }
}

/** Sessions as a pool with roles would give them. */
class FakeRoles(private val cluster: FakeCluster, override val capacity: Int = 100) : RoleSource<ClusterSession> {
    private val known = MutableStateFlow(0)
    private val demoted = mutableSetOf<FakeServer>()

    /** The role probe has seen something new. */
    fun probe() {
        demoted.removeAll { it.isPrimary && !it.demoted }
        known.value++
    }

    private fun primary() = cluster.servers.firstOrNull { it.up && it.isPrimary && it !in demoted }

    private fun replicas() = cluster.servers.filter { it.up && !it.isPrimary }

    override fun tryLease(role: SessionRole): RoleLease<ClusterSession>? = null

    override suspend fun leasePrimary(holder: String): RoleLease<ClusterSession> {
        known.first { primary() != null }
        return lease(checkNotNull(primary()))
    }

    override suspend fun leaseReplica(holder: String, except: Set<String>): RoleLease<ClusterSession>? =
        replicas().filter { it.name !in except }.randomOrNull(dice)?.let(::lease)

    private val dice = Random(27)

    private fun lease(server: FakeServer) = object : RoleLease<ClusterSession> {
        override val server: String = server.name
        override val session = ClusterSession(server)

        override fun report(cause: Throwable) {
            cluster.reports += server.name
            demoted += server
        }

        override fun giveBack() {}

        override fun destroy(cause: Throwable?) {}
    }

    override suspend fun close() {}
}

/** Places in the log are its length; asking takes as long as [roundTrip]. */
class FakeReplication(private val roundTrip: () -> Duration = { Duration.ZERO }) : Replication<ClusterSession> {
    var hangs: CompletableDeferred<Unit>? = null

    override suspend fun token(session: ClusterSession): WriteToken {
        check(session.server.isPrimary) { "a token from a replica" }
        return WriteToken("${session.server.visible()}")
    }

    override suspend fun hasReached(session: ClusterSession, token: WriteToken): Boolean {
        ask(session)
        return session.server.visible() >= token.text.toInt()
    }

    override fun covers(later: WriteToken, earlier: WriteToken): Boolean = later.text.toInt() >= earlier.text.toInt()

    override suspend fun lagMillis(session: ClusterSession): Long {
        val lag = session.server.lag.inWholeMilliseconds
        ask(session)
        return lag
    }

    private suspend fun ask(session: ClusterSession) {
        session.server.asked++
        hangs?.await()
        delay(roundTrip())
    }
}

object ClusterDriver : StorageDriver<ClusterSession> {
    override val kind = StorageKind("cluster")
    override val capabilities = Capabilities(readOnly = true)

    override suspend fun begin(session: ClusterSession, policy: TxnPolicy) {
        session.snapshot = session.server.visible()
    }

    override suspend fun commit(session: ClusterSession) {
        val cluster = session.server.cluster
        session.pending.forEach { cluster.log += LogEntry(it, cluster.now) }
        rollback(session)
    }

    override suspend fun rollback(session: ClusterSession) {
        session.snapshot = null
        session.pending.clear()
    }

    override fun txnOf(session: ClusterSession) = if (session.snapshot == null) SessionTxn.IDLE else SessionTxn.OPEN

    override fun classify(error: Throwable) = (error as? Demoted)?.let { ErrorInfo(ErrorCategory.READ_ONLY) }
}

suspend fun TxnCore<ClusterSession>.values(): List<String> =
    use { it.server.cluster.log.take(checkNotNull(it.snapshot)).map(LogEntry::value) + it.pending }

suspend fun TxnCore<ClusterSession>.sees(row: Int): Boolean = use { checkNotNull(it.snapshot) > row }

suspend fun TxnCore<ClusterSession>.add(value: String): Unit = use {
    if (it.server.demoted || !it.server.isPrimary) throw Demoted()
    it.pending += value
}

suspend fun TxnCore<ClusterSession>.server(): String = use { it.server.name }

class SplitWorld(
    val test: TestScope,
    val cluster: FakeCluster,
    val roles: FakeRoles,
    val replication: FakeReplication,
    val pool: PoolCore<ClusterSession>,
    val split: SplitPool<PoolCore<ClusterSession>, TxnCore<ClusterSession>>,
) {
    val primary = cluster.server("p").also { cluster.primary = it }
    val a = cluster.server("a")
    val b = cluster.server("b")
}

/** A primary `p` and replicas `a` and `b`, in virtual time. */
fun splitTest(
    policy: SplitPolicy = SplitPolicy(),
    storage: StoragePolicy = StoragePolicy(),
    roundTrip: () -> Duration = { 0.milliseconds },
    block: suspend SplitWorld.() -> Unit,
) = runTest {
    val start = testScheduler.timeSource.markNow()
    val cluster = FakeCluster { start.elapsedNow() }
    val roles = FakeRoles(cluster)
    val replication = FakeReplication(roundTrip)
    val split = Split(roles, replication, policy, testScheduler.timeSource)
    val scope: CoroutineScope = this
    val pool = scope.openStorage("split", ClusterDriver, split.source, storage, testScheduler.timeSource, Random(1))
    SplitWorld(this, cluster, roles, replication, pool, split.over(pool, pool)).block()
    pool.close(0)
}

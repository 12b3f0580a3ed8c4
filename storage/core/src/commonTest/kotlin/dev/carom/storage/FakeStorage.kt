package dev.carom.storage

import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlin.random.Random
import kotlin.time.Duration

/** What a platform reports. */
class FakeError(val category: ErrorCategory, val broken: Boolean = false) : RuntimeException("$category")

/** A session that notes what happens on it. */
class FakeSession(val id: Int) {
    val log = mutableListOf<String>()
    var txn = SessionTxn.IDLE
    var dirty = false
    var aborted = false
    var disposed = false

    /** What runs now; completed by a cancel request or an abort. */
    var running: CompletableDeferred<Unit>? = null

    /** A statement that runs until it is let go, deaf to the cancellation of its coroutine, as JDBC is. */
    suspend fun run(name: String, gate: CompletableDeferred<Unit> = CompletableDeferred()): String {
        check(running == null) { "two statements at once on session $id" }
        check(!disposed) { "a statement after the end of session $id" }
        log += name
        running = gate
        try {
            withContext(NonCancellable) { gate.await() }
        } finally {
            running = null
        }
        return name
    }

    override fun toString(): String = "session $id"
}

/** A platform whose every step a test can hold back or let fail. */
class FakeDriver(
    override val capabilities: Capabilities = Capabilities(
        isolations = setOf(Isolation.READ_COMMITTED, Isolation.SERIALIZABLE),
        savepoints = true,
        readOnly = true,
    ),
) : StorageDriver<FakeSession> {
    override val kind: StorageKind = StorageKind("fake")

    var onBegin: suspend (FakeSession) -> Unit = {}
    var onCommit: suspend (FakeSession) -> Unit = {}
    var onRollback: suspend (FakeSession) -> Unit = {}
    var onSavepoint: suspend (FakeSession) -> Unit = {}
    var onRollbackTo: suspend (FakeSession) -> Unit = {}
    var onReset: suspend (FakeSession) -> Unit = {}

    /** What a cancel request does; by default it ends the statement, as the server's cancel would. */
    var onCancel: suspend (FakeSession) -> Unit = {
        it.running?.completeExceptionally(FakeError(ErrorCategory.CANCELLED))
    }
    var cancels = 0

    /** What happens when a call is about to begin. */
    var onThreads: () -> Unit = {}
    var outcomes: suspend (Any) -> TxnStatus? = { null }

    override val threads: CallThreads?
        get() {
            onThreads()
            return null
        }

    override suspend fun begin(session: FakeSession, policy: TxnPolicy) {
        session.log += "begin"
        onBegin(session)
        session.txn = SessionTxn.OPEN
    }

    override suspend fun commit(session: FakeSession) {
        session.log += "commit"
        onCommit(session)
        session.txn = SessionTxn.IDLE
    }

    override suspend fun rollback(session: FakeSession) {
        session.log += "rollback"
        onRollback(session)
        session.txn = SessionTxn.IDLE
    }

    override suspend fun savepoint(session: FakeSession, name: String) {
        session.log += "savepoint"
        onSavepoint(session)
    }

    override suspend fun releaseSavepoint(session: FakeSession, name: String) {
        session.log += "release"
    }

    override suspend fun rollbackToSavepoint(session: FakeSession, name: String) {
        session.log += "rollback to"
        onRollbackTo(session)
        session.txn = SessionTxn.OPEN
    }

    override fun txnOf(session: FakeSession): SessionTxn = session.txn

    override suspend fun cancel(session: FakeSession, call: Job) {
        cancels++
        session.log += "cancel"
        onCancel(session)
    }

    override fun isClean(session: FakeSession, level: ResetLevel): Boolean =
        session.txn == SessionTxn.IDLE && !session.dirty

    override suspend fun reset(session: FakeSession, level: ResetLevel) {
        session.log += "reset"
        onReset(session)
        session.txn = SessionTxn.IDLE
        session.dirty = false
    }

    override fun abort(session: FakeSession) {
        session.aborted = true
        session.running?.completeExceptionally(FakeError(ErrorCategory.CONNECTION, broken = true))
    }

    override fun classify(error: Throwable): ErrorInfo? =
        (error as? FakeError)?.let { ErrorInfo(it.category, it.broken, code = 7, state = "F0007") }

    override suspend fun outcomeToken(session: FakeSession): Any = session.id

    override suspend fun outcomeOf(session: FakeSession, token: Any): TxnStatus? = outcomes(token)
}

class StorageWorld(
    val test: TestScope,
    val pool: PoolCore<FakeSession>,
    val driver: FakeDriver,
    val sessions: List<FakeSession>,
) {
    /** Lets everything happen that is due by then. */
    fun after(time: Duration) {
        test.advanceTimeBy(time)
        test.runCurrent()
    }

    fun now() = test.runCurrent()

    val log: List<String> get() = sessions.flatMap { it.log }
    val leased: Int get() = pool.stats().leased
}

/** Runs [block] in virtual time, closes the pool, and checks that nothing is left of it. */
fun storageTest(
    capacity: Int = 2,
    policy: StoragePolicy = StoragePolicy(),
    driver: FakeDriver = FakeDriver(),
    block: suspend StorageWorld.() -> Unit,
) = runTest {
    val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
    val sessions = mutableListOf<FakeSession>()
    val source =
        LocalSessions(capacity, { it.disposed = true }) { FakeSession(sessions.size + 1).also { sessions += it } }
    val pool = scope.openStorage("db", driver, source, policy, testScheduler.timeSource, Random(1))
    StorageWorld(this, pool, driver, sessions).block()
    pool.close(0)
    pool.stats().leased shouldBe 0
    sessions.filterNot { it.disposed }.shouldBeEmpty()
    testScheduler.runCurrent()
    scope.coroutineContext[Job]!!.children.toList().shouldBeEmpty()
    scope.coroutineContext[Job]!!.cancelAndJoin()
}

/** The failure of [block], cancellation included; null if there is none. */
suspend fun failureOf(block: suspend () -> Unit): Throwable? = try {
    block()
    null
} catch (e: CancellationException) {
    e
} catch (e: Throwable) {
    e
}

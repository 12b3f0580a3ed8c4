package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import dev.carom.storage.CancelRoute
import dev.carom.storage.DestroyReason
import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.LeaseInfo
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionSource
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageException
import dev.carom.storage.StorageLane
import dev.carom.storage.StorageNotice
import dev.carom.storage.StoragePolicy
import dev.carom.storage.StorageStats
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.atomics.AtomicLong
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.TimeSource

/** What all handles of one pool share. */
@OptIn(ExperimentalAtomicApi::class)
internal class Engine<S : Any>(
    val name: String,
    val driver: StorageDriver<S>,
    val source: SessionSource<S>,
    val policy: StoragePolicy,
    val scope: CoroutineScope,
    timeSource: TimeSource,
    random: Random,
) {
    val lane = StorageLane(name)
    val notices = MutableSharedFlow<StorageNotice>(0, NOTICES, BufferOverflow.DROP_OLDEST)
    val leaks = LeakWatch(policy.leakAfter) {
        leaked.incrementAndFetch()
        tell(it)
    }
    val desk: LeaseDesk<S> = LeaseDesk(this)

    init {
        lane.retried = ::countRetry
        lane.random = random
    }

    private val start = timeSource.markNow()
    private val acquired = AtomicLong(0)
    private val timeouts = AtomicLong(0)
    private val retries = AtomicLong(0)
    private val leaked = AtomicLong(0)
    private val destroyed = DestroyReason.entries.map { AtomicLong(0) }
    private val cancels = CancelClass.entries.map { AtomicLong(0) }

    val now: Duration get() = start.elapsedNow()

    fun tell(notice: StorageNotice) {
        notices.tryEmit(notice)
    }

    fun countAcquired(): Long = acquired.incrementAndFetch()

    fun countTimeout() {
        timeouts.incrementAndFetch()
    }

    fun countRetry(attempt: Int, cause: Throwable) {
        retries.incrementAndFetch()
        tell(StorageNotice.Retried(attempt, cause))
    }

    fun countCancel(result: CancelClass) {
        cancels[result.ordinal].incrementAndFetch()
        tell(StorageNotice.Cancelled(result, name))
    }

    fun stats(): StorageStats {
        val state = desk.state
        return StorageStats(
            source.capacity,
            // A session is back, and may be lent again, a moment before its last loan is known to have ended.
            minOf(state.loans.size, source.capacity),
            state.waiters.size,
            acquired.load(),
            timeouts.load(),
            retries.load(),
            DestroyReason.entries.associateWith { destroyed[it.ordinal].load() },
            CancelClass.entries.associateWith { cancels[it.ordinal].load() },
            leaked.load(),
        )
    }

    /** The caller of this coroutine, if a call may block its thread here and now. */
    fun callerIn(context: CoroutineContext): Caller? =
        if (driver.threads?.callersToo == true) context[Caller]?.takeIf { it.isHere } else null

    /** Whether operations are to run on the caller's own thread, also those that have to wait for a session. */
    fun worksHere(context: CoroutineContext): Boolean =
        if (driver.threads == null) context[Caller] != null else callerIn(context) != null

    /** A coroutine for a call, with the caller's context, that begins whatever happens: on the driver's threads, else here. */
    @OptIn(DelicateCoroutinesApi::class)
    fun launchCall(context: CoroutineContext, call: suspend CoroutineScope.() -> Unit): Job {
        val inherited = context.minusKey(Job).minusKey(ContinuationInterceptor)
        val threads = driver.threads ?: return scope.launch(inherited, CoroutineStart.UNDISPATCHED, call)
        return scope.launch(inherited + threads.dispatcher, CoroutineStart.ATOMIC, call)
    }

    /** The result of a call, or its failure in the words of this library; marks the lease if its session is lost. */
    fun <R> conclude(lease: Lease<S>, verdict: Verdict<R>): R {
        val ran = verdict.ran
        val info = (ran as? Ran.Threw)?.let { driver.classify(it.failure) }
        when {
            verdict.result == CancelClass.CUT_OFF -> lease.spoil(DestroyReason.CANCELLED, null)

            ran is Ran.Abandoned -> lease.spoil(DestroyReason.CANCEL_TIMEOUT, null)

            info?.broken == true -> lease.spoil(DestroyReason.BROKEN, ran.failure)

            verdict.result == CancelClass.COMPLETED && policy.cancelRoute == CancelRoute.PROXY ->
                lease.spoil(DestroyReason.TAINTED, null)
        }
        if (info?.category == ErrorCategory.READ_ONLY && !lease.readOnly) lease.raw.report(ran.failure)
        return when (val stop = verdict.stop) {
            null -> valueOf(ran, info)

            is Stop.ByCaller -> throw stop.why

            is Stop.ByForce -> throw stop.why()

            is Stop.ByTimeout ->
                if (ran is Ran.Returned &&
                    verdict.result == CancelClass.NOT_SENT
                ) {
                    ran.value
                } else {
                    throw timeout("operation")
                }
        }
    }

    private fun <R> valueOf(ran: Ran<R>, info: ErrorInfo?): R = when (ran) {
        is Ran.Returned -> ran.value
        is Ran.Threw -> throw translate(ran.failure, info)
        is Ran.Abandoned -> throw closed(null)
    }

    fun timeout(what: String): StorageException = StorageException.OpTimeout(name, "$what did not end in time")

    fun closed(cause: Throwable?): StorageException =
        StorageException.PoolClosed(name, "the pool is ${desk.state.phase.name.lowercase()}", cause)

    fun translate(failure: Throwable, info: ErrorInfo? = driver.classify(failure)): Throwable = when {
        failure is StorageException -> failure

        failure is CancellationException -> if (scope.isActive) failure else closed(failure)

        info == null -> failure

        else -> StorageException.Platform(
            name,
            "${info.category} ${info.state} ${info.code}: ${failure.message}",
            info.category,
            info.code,
            info.state,
            failure,
        )
    }

    /**
     * A call that is never cancelled, only given up after [limit]: its session is cut off then. Must be called where
     * cancellation cannot reach.
     */
    suspend fun shielded(lease: Lease<S>, limit: Duration, block: suspend (S) -> Unit): Ran<Unit> {
        var ran: Ran<Unit> = Ran.Abandoned
        // Cancelled by nobody but this function: the end of the pool must not stop a rollback half way.
        val reach = Job()
        val worker = scope.launch(start = CoroutineStart.UNDISPATCHED) {
            ran = try {
                Ran.Returned(withContext(reach) { block(lease.session) })
            } catch (e: Throwable) {
                Ran.Threw(e)
            }
        }
        if (!worker.isCompleted) withTimeoutOrNull(limit) { worker.join() }
        if (worker.isCompleted) return ran
        driver.abort(lease.session)
        reach.cancel()
        return Ran.Abandoned
    }

    /** Rolls back what is open on the session, or spoils it. Must be called where cancellation cannot reach. */
    suspend fun clear(lease: Lease<S>, rollback: suspend (S) -> Unit): Throwable? {
        if (lease.isSpoiled) return null
        return when (val ran = shielded(lease, policy.rollbackTimeout, rollback)) {
            is Ran.Returned -> null
            is Ran.Threw -> translate(ran.failure).also { lease.spoil(DestroyReason.ROLLBACK_FAILED, ran.failure) }
            is Ran.Abandoned -> timeout("rollback").also { lease.spoil(DestroyReason.ROLLBACK_FAILED, it) }
        }
    }

    /** Ends a loan. The job, if there is something to wait for, ends when the session is back. */
    fun giveBack(lease: Lease<S>, level: ResetLevel): Job? {
        val session = lease.session
        val lost = lease.lost
        return when {
            lost != null -> destroy(lease, lost.first, lost.second)

            desk.state.phase != LeaseState.Phase.Open || !scope.isActive -> destroy(lease, DestroyReason.CLOSED, null)

            level == ResetLevel.NONE || driver.isClean(session, level) -> {
                lease.raw.giveBack()
                desk.returned(lease.id)
                null
            }

            else -> launchShielded { reset(lease, level) }
        }
    }

    /** Starts here and now, and goes on to its end though the pool is cancelled: [block] must be bounded in time. */
    fun launchShielded(block: suspend () -> Unit): Job = scope.launch(start = CoroutineStart.UNDISPATCHED) {
        withContext(NonCancellable) { block() }
    }

    private suspend fun reset(lease: Lease<S>, level: ResetLevel) {
        val cause = when (val ran = shielded(lease, policy.resetTimeout) { driver.reset(it, level) }) {
            is Ran.Returned -> {
                lease.raw.giveBack()
                desk.returned(lease.id)
                return
            }

            is Ran.Threw -> ran.failure

            is Ran.Abandoned -> timeout("reset")
        }
        destroy(lease, DestroyReason.RESET_FAILED, cause)
    }

    private fun destroy(lease: Lease<S>, reason: DestroyReason, cause: Throwable?): Job? {
        destroyed[reason.ordinal].incrementAndFetch()
        tell(StorageNotice.SessionDestroyed(reason, cause))
        lease.raw.destroy(cause)
        desk.returned(lease.id)
        return null
    }

    fun loans(): List<LeaseInfo> = infos(desk.state.loans.values)

    fun infos(loans: Collection<Loan>): List<LeaseInfo> =
        loans.map(::infoOf)

    fun infoOf(loan: Loan): LeaseInfo {
        val age = now - loan.since
        val idle = desk.find(loan.id)?.use?.idle(now) ?: age
        return LeaseInfo(loan.id, loan.holder, age.inWholeMilliseconds, idle.inWholeMilliseconds, loan.trace)
    }

    private companion object {
        const val NOTICES = 256
    }
}

package dev.carom.pool

/**
 * Why a claim ended without a connection. Never a `CancellationException`: a deadline does not look like cancellation.
 *
 * @property pool the pool's name.
 */
public sealed class PoolException(public val pool: String, message: String, cause: Throwable?) :
    RuntimeException(message, cause) {

    /** How things stood when the claim was refused: every backend with the reason why not that one. Null if [Closed]. */
    public var explanation: Explanation? = null
        internal set

    /** The resolver lists no backend, or has not answered yet. */
    public class NoBackends internal constructor(pool: String, message: String, cause: Throwable?) :
        PoolException(pool, message, cause)

    /**
     * Backends are listed, but no connection to any could be opened in time.
     *
     * @property lastErrors each backend's latest failure, by backend. The first is also the cause.
     */
    public class NoneOnline internal constructor(
        pool: String,
        message: String,
        public val lastErrors: Map<Backend, Throwable>,
    ) : PoolException(pool, message, lastErrors.values.firstOrNull())

    /**
     * Backends are online, but none that the claim accepts: of the role, or among the backends, it asked for.
     *
     * @property lastErrors each backend's latest failure, by backend. The first is also the cause.
     */
    public class NoneSuitable internal constructor(
        pool: String,
        message: String,
        public val lastErrors: Map<Backend, Throwable>,
    ) : PoolException(pool, message, lastErrors.values.firstOrNull())

    /**
     * Every connection was on loan for the whole wait.
     *
     * @property holders who has them, oldest first.
     * @property waiting callers still in the queue.
     */
    public class AllClaimed internal constructor(
        pool: String,
        message: String,
        public val holders: List<Holder>,
        public val waiting: Int,
    ) : PoolException(pool, message, null)

    /**
     * Connections were there, but [Connector.onAcquire] failed on each until the time was up.
     *
     * @property attempts connections tried.
     */
    public class NotPrepared internal constructor(
        pool: String,
        message: String,
        public val attempts: Int,
        cause: Throwable?,
    ) : PoolException(pool, message, cause)

    /**
     * [Pool.awaitReady] did not get as many connections as it asked for in time.
     *
     * @property ready connections that were open.
     * @property lastErrors each backend's latest failure, by backend. The first is also the cause.
     */
    public class NotReady internal constructor(
        pool: String,
        message: String,
        public val ready: Int,
        public val lastErrors: Map<Backend, Throwable>,
    ) : PoolException(pool, message, lastErrors.values.firstOrNull())

    /**
     * The claim was refused although its time was not over, to spare others the wait ([QueuePolicy.ControlledDelay]), or
     * because [PoolPolicy.maxWaiters] were waiting already. Trying again at once makes it worse.
     *
     * @property waiting callers still in the queue.
     * @property waitedMillis how long it had waited, in milliseconds.
     */
    public class Shed internal constructor(
        pool: String,
        message: String,
        public val waiting: Int,
        public val waitedMillis: Long,
    ) : PoolException(pool, message, null)

    /**
     * The caller holds another claim of the same pool ([NestedClaims.Error]).
     *
     * @property outer the claim it holds.
     * @property site where the inner claim was made, if the platform says.
     */
    public class NestedClaim internal constructor(
        pool: String,
        message: String,
        public val outer: Holder,
        public val site: String?,
    ) : PoolException(pool, message, null)

    /** The pool is closed or closing, or its scope was cancelled. */
    public class Closed internal constructor(pool: String, message: String, cause: Throwable?) :
        PoolException(pool, message, cause)
}

/**
 * Who has a connection.
 *
 * @property name the name given to `claim`, else the coroutine's, else its job.
 * @property backend where the connection leads.
 * @property claim the claim's id.
 * @property ageMillis how long it has been held, to about 50 ms.
 * @property job the coroutine's job, as text; null if a thread claimed.
 * @property tags as [ClaimOptions.tags] gave them.
 * @property site where it was claimed, if that was recorded ([LeasePolicy.sites]): class, method, file and line.
 */
public class Holder(
    public val name: String,
    public val backend: Backend,
    public val claim: Long,
    public val ageMillis: Long,
    public val job: String?,
    public val tags: Map<String, String>,
    public val site: String?,
) {
    override fun toString(): String {
        val more = listOfNotNull(tags.takeIf { it.isNotEmpty() }?.toString(), site?.let { "at $it" })
        return "\"$name\" on $backend for $ageMillis ms" + more.joinToString("") { " $it" }
    }
}

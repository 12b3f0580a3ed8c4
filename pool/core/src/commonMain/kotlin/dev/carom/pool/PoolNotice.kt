package dev.carom.pool

import dev.carom.pool.internal.record.RecordedFailure
import dev.carom.pool.internal.withoutPasswords

/** Something an operator may want to log or count. Every notice says what happened and why; `toString` is a log line. */
public sealed interface PoolNotice {

    /** The resolver listed a new backend. */
    public class BackendAdded(public val backend: Backend) : PoolNotice {
        override fun toString(): String = "backend added: $backend"
    }

    /** The resolver no longer lists a backend; [connections] of it are still open, [claimed] of these on loan. */
    public class BackendRemoved(public val backend: Backend, public val connections: Int, public val claimed: Int) :
        PoolNotice {
        override fun toString(): String = "backend removed: $backend, $connections connections open, $claimed on loan"
    }

    /** The first connection to a backend is open. */
    public class BackendUp(public val backend: Backend) : PoolNotice {
        override fun toString(): String = "backend up: $backend"
    }

    /** The last connection to a backend is gone, or the first could not be opened. */
    public class BackendDown(public val backend: Backend, public val reason: String, public val cause: Throwable?) :
        PoolNotice {
        override fun toString(): String = "backend down: $backend: $reason"
    }

    /** Claims now go to the backends of another best priority, because of [reason]. */
    public class PriorityChanged(public val from: Int?, public val to: Int, public val reason: String) : PoolNotice {
        override fun toString(): String = "priority ${from ?: "none"} -> $to: $reason"
    }

    /**
     * A slot went from one state to another.
     *
     * @property slot unique within the pool for its whole life.
     * @property reason why, in words.
     * @property cause the failure behind it, if there was one.
     */
    public class SlotChanged(
        public val slot: Long,
        public val backend: Backend,
        public val from: SlotStatus?,
        public val to: SlotStatus?,
        public val reason: String,
        public val cause: Throwable?,
    ) : PoolNotice {
        override fun toString(): String = "slot $slot of $backend: ${from ?: "new"} -> ${to ?: "gone"}: $reason"
    }

    /** The numbers of slots were fitted to demand: [wanted] in all, of at most [maxSlots]. */
    public class Rebalanced(public val wanted: Int, public val maxSlots: Int, public val reason: String) : PoolNotice {
        override fun toString(): String = "rebalanced to $wanted of at most $maxSlots slots: $reason"
    }

    /** A claim was refused. */
    public class ClaimRefused(public val cause: PoolException) : PoolNotice {
        override fun toString(): String = "claim refused: ${cause.message}"
    }

    /** A claim has been held, without a sign of life, for [LeasePolicy.warnAfter]. Told once. */
    public class ClaimStalled(public val holder: Holder) : PoolNotice {
        override fun toString(): String = "claim stalled: held by $holder"
    }

    /** A claim has been held for [LeasePolicy.abortAfter]: it was ended and its connection closed under its holder. */
    public class ClaimAborted(public val holder: Holder) : PoolNotice {
        override fun toString(): String = "claim aborted: held by $holder"
    }

    /** A claim waits, at [site], inside another claim of this pool, held by [outer]. */
    public class ClaimNested(public val outer: Holder, public val site: String?) : PoolNotice {
        override fun toString(): String =
            "claim waits inside another of the same pool, ${site ?: "at an unknown place"}; outer: $outer"
    }

    /** A backend that fails its callers gets no claims for [forMillis] milliseconds. */
    public class BackendEjected(public val backend: Backend, public val forMillis: Long, public val reason: String) :
        PoolNotice {
        override fun toString(): String = "backend ejected for $forMillis ms: $backend: $reason"
    }

    /** An ejected backend gets claims again. */
    public class BackendReadmitted(public val backend: Backend, public val reason: String) : PoolNotice {
        override fun toString(): String = "backend readmitted: $backend: $reason"
    }

    /** A backend's role was learnt or unlearnt, because of [reason]. */
    public class RoleChanged(
        public val backend: Backend,
        public val from: Role,
        public val to: Role,
        public val reason: String,
    ) : PoolNotice {
        override fun toString(): String = "role of $backend: $from -> $to: $reason"
    }

    /** A backend did not accept the credentials; it is left alone for [forMillis] milliseconds. */
    public class AuthenticationRefused(
        public val backend: Backend,
        public val forMillis: Long,
        public val cause: Throwable,
    ) : PoolNotice {
        override fun toString(): String =
            "credentials refused by $backend: ${describe(cause)}; not tried again for $forMillis ms"
    }

    /** A backend is being drained on request ([Pool.drain]), or no longer is ([Pool.undrain]). */
    public class BackendDrained(public val backend: Backend, public val draining: Boolean) : PoolNotice {
        override fun toString(): String = if (draining) "draining $backend" else "no longer draining $backend"
    }

    /** A backend that is no longer listed is kept, by [PoolPolicy.retention]. */
    public class BackendKept(public val backend: Backend) : PoolNotice {
        override fun toString(): String = "no longer listed, but kept: $backend"
    }

    /** Claims other than those of the reserved lane wait, or no longer do. */
    public class Paused(public val paused: Boolean) : PoolNotice {
        override fun toString(): String = if (paused) "paused" else "resumed"
    }

    /** The limits were changed ([Pool.limit]). */
    public class LimitsChanged(public val spares: Int, public val maxSlots: Int) : PoolNotice {
        override fun toString(): String = "limits changed: $spares spares, at most $maxSlots slots"
    }

    /** [Connector.close] failed or did not end in time; the connection counts as closed. */
    public class CloseFailed(public val slot: Long, public val backend: Backend, public val cause: Throwable) :
        PoolNotice {
        override fun toString(): String = "close of slot $slot of $backend failed: ${describe(cause)}"
    }

    /** The resolver's flow failed; the last set stays, and it is collected again after [retryMillis] milliseconds. */
    public class ResolverFailed(public val cause: Throwable, public val retryMillis: Long) : PoolNotice {
        override fun toString(): String = "resolver failed: ${describe(cause)}; asking again in $retryMillis ms"
    }

    /** The resolver's flow ended; the last set stays for good. */
    public class ResolverCompleted(public val backends: Int) : PoolNotice {
        override fun toString(): String = "resolver completed with $backends backends"
    }

    /** This collector was too slow: [count] notices before the next one are lost to it. */
    public class Missed(public val count: Long) : PoolNotice {
        override fun toString(): String = "missed $count notices: this collector is too slow"
    }

    /** The pool is closed. */
    public class PoolClosed(public val report: CloseReport) : PoolNotice {
        override fun toString(): String = "pool closed: $report"
    }
}

/** What a slot is doing. */
public enum class SlotStatus {
    /** Opening its connection. */
    Connecting,

    /** Waiting to connect again after a failure. */
    BackingOff,

    /** Idle, or on loan: claims and returns of ready connections are not told one by one. */
    Ready,

    /** In a health check. */
    Checking,

    /** Being cleaned after a loan. */
    Recycling,

    /** On loan, and to be closed when it comes back. */
    Draining,

    /** Closing its connection. */
    Closing,
}

/** Type and message, without what looks like a password: it goes into notices, explanations and our own messages. */
internal fun describe(cause: Throwable): String = (cause as? RecordedFailure)?.description
    ?: cause.message?.let { "${cause::class.simpleName}: ${withoutPasswords(it)}" }
    ?: cause::class.simpleName
    ?: "failure"

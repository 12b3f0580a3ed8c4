package dev.carom.pool

/**
 * Something an operator of a [ConnectionSet] or a [PersistentConnection] may want to log or count. `toString` is a log
 * line.
 */
public sealed interface SetNotice {

    /** The resolver listed a new backend. */
    public class BackendAdded(public val backend: Backend) : SetNotice {
        override fun toString(): String = "backend added: $backend"
    }

    /** The resolver no longer lists a backend; [connected]: it has a connection, to be replaced and drained. */
    public class BackendRemoved(public val backend: Backend, public val connected: Boolean) : SetNotice {
        override fun toString(): String =
            "backend removed: $backend, ${if (connected) "connected" else "not connected"}"
    }

    /** A connection is open and in the set. */
    public class Connected(public val connection: Long, public val backend: Backend) : SetNotice {
        override fun toString(): String = "connection $connection to $backend is open"
    }

    /**
     * A connection could not be opened.
     *
     * @property attempt how many times in a row.
     * @property retryMillis milliseconds until the next attempt, at the earliest.
     */
    public class ConnectFailed(
        public val backend: Backend,
        public val attempt: Int,
        public val retryMillis: Long,
        public val cause: Throwable?,
    ) : SetNotice {
        override fun toString(): String =
            "no connection to $backend (attempt $attempt, next in $retryMillis ms)${because(cause)}"
    }

    /**
     * A connection left the set.
     *
     * @property leases how many held it.
     * @property to the backend that was connected to instead, if it moved.
     */
    public class Removed(
        public val connection: Long,
        public val backend: Backend,
        public val reason: Removal,
        public val leases: Int,
        public val to: Backend?,
        public val cause: Throwable?,
    ) : SetNotice {
        override fun toString(): String =
            "connection $connection to $backend removed: ${reason.words}${to?.let { ", moved to $it" } ?: ""}, " +
                "$leases leases${because(cause)}"
    }

    /**
     * A connection whose backend has not been listed for [SetPolicy.replaceWithin] is kept as long as it works: it is
     * the last.
     */
    public class Kept(public val connection: Long, public val backend: Backend) : SetNotice {
        override fun toString(): String =
            "connection $connection to $backend kept, though not listed: it is the last that works"
    }

    /** A connection that had left the set is being closed; [forced] leases were still held when the time was up. */
    public class Drained(public val connection: Long, public val backend: Backend, public val forced: Int) : SetNotice {
        override fun toString(): String = "connection $connection to $backend drained" +
            if (forced > 0) ", $forced leases cut off" else ""
    }

    /** [Connector.close] failed or did not end in time; the connection counts as closed. */
    public class CloseFailed(public val connection: Long, public val backend: Backend, public val cause: Throwable) :
        SetNotice {
        override fun toString(): String = "close of connection $connection to $backend failed: ${describe(cause)}"
    }

    /** The resolver's flow failed; the last set stays, and it is collected again after [retryMillis] milliseconds. */
    public class ResolverFailed(public val cause: Throwable, public val retryMillis: Long) : SetNotice {
        override fun toString(): String = "resolver failed: ${describe(cause)}; asking again in $retryMillis ms"
    }

    /** The resolver's flow ended; the last set stays for good. */
    public class ResolverCompleted(public val backends: Int) : SetNotice {
        override fun toString(): String = "resolver completed with $backends backends"
    }

    /** Of a [PersistentConnection]: a write failed; [again]: the message will be written once more. */
    public class WriteFailed(
        public val connection: Long,
        public val backend: Backend,
        public val attempt: Int,
        public val again: Boolean,
        public val cause: Throwable,
    ) : SetNotice {
        override fun toString(): String =
            "write on connection $connection to $backend failed (attempt $attempt, " +
                "${if (again) "to be repeated" else "given up"})${because(cause)}"
    }

    /** Of a [PersistentConnection]: a message of [bytes] bytes was dropped to make room for newer ones. */
    public class MessageDropped(public val bytes: Long) : SetNotice {
        override fun toString(): String = "message of $bytes bytes dropped to make room for newer ones"
    }

    /** This collector was too slow: [count] notices before the next one are lost to it. */
    public class Missed(public val count: Long) : SetNotice {
        override fun toString(): String = "missed $count notices: this collector is too slow"
    }

    /** The set is closed. */
    public class SetClosed(public val report: CloseReport) : SetNotice {
        override fun toString(): String = "set closed: $report"
    }
}

private fun because(cause: Throwable?): String = cause?.let { ": ${describe(it)}" } ?: ""

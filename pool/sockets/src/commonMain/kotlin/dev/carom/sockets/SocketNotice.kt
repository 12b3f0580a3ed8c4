package dev.carom.sockets

/** Something an operator of a socket may want to log or count. `toString` is a log line, without content of messages. */
public sealed interface SocketNotice {
    /** Peers can connect at [url]. */
    public class Bound internal constructor(public val url: String) : SocketNotice {
        override fun toString(): String = "listening at $url"
    }

    /**
     * Nobody listens at [url] any more.
     *
     * @property cause why; null if the endpoint was closed.
     */
    public class Unbound internal constructor(public val url: String, public val cause: Throwable?) : SocketNotice {
        override fun toString(): String = "not listening at $url any more${because(cause)}"
    }

    /** A handshake is done: [pipe] carries messages. */
    public class PipeOpened internal constructor(public val pipe: SocketPipe) : SocketNotice {
        override fun toString(): String = "$pipe opened"
    }

    /**
     * A pipe has closed.
     *
     * @property reason why, in words: also what its peer did wrong, such as announcing a message over the limit.
     * @property cause the failure behind it, if there was one.
     */
    public class PipeClosed internal constructor(
        public val pipe: SocketPipe,
        public val reason: String,
        public val cause: Throwable?,
    ) : SocketNotice {
        override fun toString(): String = "$pipe closed: $reason${because(cause)}"
    }

    /**
     * A connection ended before it was a pipe.
     *
     * @property url the endpoint's address.
     * @property remote the other end, if it is known.
     * @property reason why, in words: not one of us, a role we do not talk to, too slow, one too many.
     */
    public class PeerRejected internal constructor(
        public val url: String,
        public val remote: String,
        public val reason: String,
    ) : SocketNotice {
        override fun toString(): String = "rejected $remote at $url: $reason"
    }

    /**
     * Connecting failed; it is tried again.
     *
     * @property url where to.
     * @property attempt how many times in a row.
     * @property retryMillis milliseconds until the next attempt, at the earliest.
     */
    public class ConnectFailed internal constructor(
        public val url: String,
        public val attempt: Int,
        public val retryMillis: Long,
        public val cause: Throwable?,
    ) : SocketNotice {
        override fun toString(): String =
            "no connection to $url (attempt $attempt, next in $retryMillis ms)${because(cause)}"
    }

    /** A peer could not be accepted at [url], for want of file descriptors say; listening goes on. */
    public class AcceptFailed internal constructor(public val url: String, public val cause: Throwable) : SocketNotice {
        override fun toString(): String = "accepting at $url failed${because(cause)}"
    }

    /**
     * The resolver of an endpoint failed or completed; what it listed last stays in force.
     *
     * @property cause why it failed; null if it completed.
     */
    public class ResolverEnded internal constructor(public val url: String, public val cause: Throwable?) :
        SocketNotice {
        override fun toString(): String =
            if (cause == null) "the resolver of $url completed" else "the resolver of $url failed${because(cause)}"
    }

    /** This collector was too slow: [count] notices are missing here. */
    public class Missed internal constructor(public val count: Long) : SocketNotice {
        override fun toString(): String = "$count notices missed"
    }
}

private fun because(cause: Throwable?): String = cause?.let { ": ${it.message ?: it::class.simpleName}" } ?: ""

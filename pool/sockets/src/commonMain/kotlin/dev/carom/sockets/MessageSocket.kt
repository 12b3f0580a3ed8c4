package dev.carom.sockets

import dev.carom.pool.Resolver
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/**
 * What every socket can do, whatever its protocol: listen, connect, follow a service, be watched, close.
 *
 * A socket lives in the scope it was opened in: when that scope is cancelled it closes at once, and whatever it had not
 * sent is lost. All functions may be called from any number of coroutines and threads. Any number of endpoints may be
 * bound and connected; they come and go while the socket is in use.
 *
 * **Who runs the code.** A waiting call is resumed by the thread that read what it waits for, through the dispatcher of
 * the coroutine that waits, as everywhere. In `Dispatchers.Unconfined` it goes on in that thread, which saves a
 * hand-over of some 15 µs; such code must not block, for it would keep other connections waiting.
 */
public interface MessageSocket {
    /** The name given at opening; appears in messages and notices. */
    public val name: String

    /** The role, which decides what its peers may be. */
    public val protocol: Protocol

    /** The policy given at opening. */
    public val policy: SocketPolicy

    /** The connections whose handshake is done, the oldest first. Empty for good once the socket closes. */
    public val pipes: StateFlow<List<SocketPipe>>

    /**
     * What happens, each with its reason, in order. Hot: only what happens during collection is seen. A collector that
     * falls [SocketPolicy.noticeBuffer] behind loses the oldest and is told how many ([SocketNotice.Missed]); it never
     * slows the socket. Completes when the socket has closed.
     */
    public val notices: Flow<SocketNotice>

    /** What all pipes together have carried, those that are gone included, and what was dropped and why. Now. */
    public val counters: SocketCounters

    /**
     * Waits until there are [count] [pipes].
     *
     * @param count 0 or more.
     * @throws SocketException.Closed if the socket closes.
     */
    public suspend fun awaitPipes(count: Int)

    /**
     * Listens at [url], with the priority 8. Returns when peers can connect; any number of them may.
     *
     * Cancelling binds nothing.
     *
     * @param url such as `tcp://127.0.0.1:5555`, `tcp://[::1]:0`, `ipc:///run/x.ipc`, `inproc://name`. Without a host, as in
     *   `tcp://:5555`, at all addresses. With port 0 the system chooses one, which [SocketEndpoint.url] tells.
     * @throws SocketException.InvalidAddress if it is malformed.
     * @throws SocketException.UnknownScheme if there is no transport for it.
     * @throws SocketException.AddressInUse if somebody listens there.
     * @throws SocketException.BindFailed if the system refuses.
     * @throws SocketException.Closed if the socket is closed.
     */
    public suspend fun bind(url: String): SocketEndpoint

    /** [bind] with a priority of the pipes that are accepted. */
    public suspend fun bind(url: String, priority: PipePriority): SocketEndpoint

    /**
     * Connects to [url], with the priority 8, and again whenever the connection is lost, at intervals of
     * [SocketPolicy.backoff]. Returns at once. A name is looked up for each attempt.
     *
     * @param url such as `tcp://host:5555`, `tcp://10.0.0.1;10.0.0.2:5555` from the former address, `ipc:///run/x.ipc`.
     * @throws SocketException.InvalidAddress if it is malformed.
     * @throws SocketException.UnknownScheme if there is no transport for it.
     * @throws SocketException.Closed if the socket is closed.
     */
    public fun connect(url: String): SocketEndpoint

    /** [connect] with a priority of the pipe. */
    public fun connect(url: String, priority: PipePriority): SocketEndpoint

    /**
     * Connects to every backend that [resolver] lists, and follows it: to those that are new it connects, from those
     * that are no longer listed it drains and closes the pipe, those that are down it tries again at intervals of
     * [SocketPolicy.backoff]. Only the best [dev.carom.pool.Backend.priority] that is up is connected to.
     *
     * **Draining.** Nothing more is sent to the backend. What it sends is still taken, and requests that it has may be
     * answered, for [SocketPolicy.drainTimeout] at most; requests that are not go to another. As long as no other
     * backend is up, the last connection that works is kept.
     *
     * Returns at once.
     *
     * @param resolver which backends there are. A host with a leading `/` is a Unix-domain socket's path.
     * @param scheme of the backends with a port: `tcp`, or `tls+tcp`.
     * @throws SocketException.UnknownScheme if there is no transport for it.
     * @throws SocketException.Closed if the socket is closed.
     */
    public fun connect(resolver: Resolver, scheme: String): SocketEndpoint

    /** [connect] with a priority of the pipes. */
    public fun connect(resolver: Resolver, scheme: String, priority: PipePriority): SocketEndpoint

    /** [connect] over `tcp`. */
    public fun connect(resolver: Resolver): SocketEndpoint

    /**
     * Closes the socket. Calls that wait fail with [SocketException.Closed], nothing more is accepted, and what was
     * accepted is sent: each peer is told the end when it has everything, and is waited for until it closes too, all
     * within [lingerMillis]. Then everything is closed, and what was not sent is lost and counted.
     *
     * Calling again joins the same closing, can only shorten it, and returns the same report. Cancelling the caller does
     * not stop the closing.
     *
     * @param lingerMillis milliseconds, not negative.
     */
    public suspend fun close(lingerMillis: Long): SocketReport

    /** [close] within [SocketPolicy.linger]. */
    public suspend fun close(): SocketReport
}

/** A place where a socket listens, an address it connects to, or a service that it follows. */
public interface SocketEndpoint {
    /** Where: with the port that the system chose; for a service, its scheme and `service`. */
    public val url: String

    /** Whether it listens. Otherwise it connects. */
    public val isBound: Boolean

    /**
     * Stops listening or connecting. The pipes it made are drained as if they were no longer listed, and closed. Returns
     * when nothing of it is left, within [SocketPolicy.drainTimeout] and [SocketPolicy.linger]; cancelling the caller
     * does not stop it.
     */
    public suspend fun close()
}

/**
 * In which order pipes are served: 1 first, 16 last. A lower one is touched only while no higher one is ready.
 *
 * @property send to whom messages go. 1..16.
 * @property receive from whom messages are taken. 1..16.
 */
public class PipePriority(public val send: Int, public val receive: Int) {
    init {
        require(send in HIGHEST..LOWEST) { "send priority must be in $HIGHEST..$LOWEST, was $send" }
        require(receive in HIGHEST..LOWEST) { "receive priority must be in $HIGHEST..$LOWEST, was $receive" }
    }

    override fun toString(): String = "PipePriority(send=$send, receive=$receive)"

    internal companion object {
        const val HIGHEST = 1
        const val LOWEST = 16
        private const val MIDDLE = 8
        val DEFAULT = PipePriority(MIDDLE, MIDDLE)
    }
}

/**
 * How a socket ended.
 *
 * @property unsent messages that were accepted and not passed on in full when the time was up.
 * @property forced pipes that had to be closed before their peer had said its end.
 * @property untaken messages that had come and nobody took.
 */
public class SocketReport internal constructor(
    public val unsent: Long,
    public val forced: Int,
    public val untaken: Long,
) {
    override fun toString(): String =
        "$unsent messages unsent, $forced pipes closed by force, $untaken messages untaken"
}

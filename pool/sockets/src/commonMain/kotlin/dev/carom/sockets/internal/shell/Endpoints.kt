package dev.carom.sockets.internal.shell

import dev.carom.pool.Backend
import dev.carom.pool.ConnectionSet
import dev.carom.pool.Connector
import dev.carom.pool.Resolver
import dev.carom.pool.SetChange
import dev.carom.pool.SetConnection
import dev.carom.pool.SetNotice
import dev.carom.pool.SetPolicy
import dev.carom.pool.openConnectionSet
import dev.carom.sockets.PipePriority
import dev.carom.sockets.Protocol
import dev.carom.sockets.SocketEndpoint
import dev.carom.sockets.SocketException
import dev.carom.sockets.SocketNotice
import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transport
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.Volatile
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds

internal sealed interface Endpoint : SocketEndpoint {
    /** Once, when it is registered. */
    fun begin()

    /** Closes it and its pipes; what is under way on them has [limit] to finish. */
    suspend fun shut(limit: Duration)

    /** Ends what [shut] waits for, or lets it not begin. Pipes are closed by who calls. */
    fun force()

    /** Waits until nothing is left of it, after [force]. */
    suspend fun awaitEnd()
}

/** A listener and the pipes that were accepted there. */
internal class BoundEndpoint(
    private val shell: SocketShell,
    private val address: SocketAddress,
    private val transport: Transport,
    private val priority: PipePriority,
) : Endpoint,
    Acceptor {
    private val bound = CompletableDeferred<SocketAddress>()
    private val unbound = CompletableDeferred<Unit>()

    @Volatile
    private var listener: Listener? = null

    @Volatile
    override var url: String = address.toString()
        private set

    override val isBound: Boolean get() = true

    override fun begin() {
        listener = transport.listen(address, shell.policy.link, this)
        if (shell.isClosing()) listener?.close()
    }

    suspend fun awaitBound() {
        try {
            bound.await()
        } catch (e: Throwable) {
            withContext(NonCancellable) { shut(Duration.ZERO) }
            throw e
        }
    }

    override fun onBound(address: SocketAddress) {
        url = address.toString()
        shell.desk.tell(SocketNotice.Bound(url))
        bound.complete(address)
    }

    override fun onAccept(link: Link): LinkHandler? {
        val policy = shell.policy
        val refusal = when {
            shell.isClosing() -> "the socket is closed"

            unbound.isCompleted -> "the endpoint is closed"

            shell.desk.handshaking() >= policy.handshakes ->
                "${policy.handshakes} peers have not completed their handshake yet, no more are let in"

            shell.desk.accepted() >= policy.acceptedPipes ->
                "${policy.acceptedPipes} peers are connected, no more are let in"

            else -> null
        }
        if (refusal != null) {
            shell.desk.tell(SocketNotice.PeerRejected(url, link.remote, refusal))
            return null
        }
        val pipe = Pipe(shell.desk, PipeIds.next(), url, isAccepted = true, priority, transport.framing, this)
        pipe.link = link
        shell.desk.admit(pipe)
        shell.scope.launch { shell.awaitHandshake(pipe, policy.handshakeTimeout) }
        return pipe
    }

    override fun onAcceptFailed(cause: Throwable) = shell.desk.tell(SocketNotice.AcceptFailed(url, cause))

    override fun onClosed(cause: Throwable?) {
        val failure = cause as? SocketException ?: SocketException.BindFailed(url, cause)
        if (!bound.completeExceptionally(failure)) shell.desk.tell(SocketNotice.Unbound(url, cause))
        unbound.complete(Unit)
    }

    override suspend fun close() {
        val done = shell.scope.launch { shut(shell.policy.drainTimeout) }
        done.join()
    }

    override suspend fun shut(limit: Duration) {
        listener?.close()
        // Only then nobody comes any more.
        unbound.await()
        coroutineScope {
            for (pipe in shell.desk.pipes().filter { it.endpoint === this@BoundEndpoint }) {
                if (!pipe.wasAttached) shell.desk.refuse(pipe, "the endpoint is closed")
                launch {
                    shell.desk.retire(pipe)
                    shell.finish(pipe, limit)
                }
            }
        }
        shell.remove(this)
    }

    override fun force() {
        listener?.close()
    }

    override suspend fun awaitEnd() {
        unbound.await()
        for (pipe in shell.desk.pipes()) if (pipe.endpoint === this) shell.finish(pipe, Duration.ZERO)
    }
}

/** A set of connections to all that a resolver lists, as pipes. */
internal class DialedEndpoint(
    private val shell: SocketShell,
    override val url: String,
    private val resolver: Resolver,
    private val connector: PipeConnector,
    private val isService: Boolean,
) : Endpoint {
    private val opened = CompletableDeferred<ConnectionSet<Pipe>>()

    override val isBound: Boolean get() = false

    override fun begin() {
        connector.endpoint = this
        val policy = shell.policy
        val pair = shell.protocol == Protocol.Pair || shell.protocol == Protocol.PairV1
        val numbers = SetPolicy(
            target = if (pair) 1 else Int.MAX_VALUE,
            // Both bounded by the connector itself, which knows how much time there is.
            connectTimeout = MOST_CLOSING,
            closeTimeout = MOST_CLOSING,
            checkInterval = Duration.INFINITE,
            drainTimeout = policy.drainTimeout,
            decoherenceInterval = Duration.INFINITE,
            backoff = policy.backoff,
        )
        val followed = if (pair && isService) leaving(resolver) else resolver
        val setting = shell.setting
        val label = "${shell.name} to $url"
        val set = shell.scope.openConnectionSet(label, followed, connector, numbers, setting.timeSource, setting.random)
        opened.complete(set)
        shell.scope.launch { set.changes.collect(::changed) }
        shell.scope.launch { set.notices.collect(::noticed) }
    }

    /** A pair has one peer: it leaves the one that is no longer listed before it can have another. */
    private fun leaving(resolver: Resolver) = Resolver {
        resolver.backends().onEach { listed ->
            for (pipe in shell.desk.pipes()) {
                if (pipe.endpoint === this && pipe.backend !in listed) {
                    shell.desk.retire(pipe)
                    shell.scope.launch { shell.finish(pipe, shell.policy.drainTimeout) }
                }
            }
        }
    }

    private fun changed(change: SetChange<Pipe>) {
        when (change) {
            is SetChange.Added -> change.connection.connection.lease = change.connection.lease()
            is SetChange.Removed -> shell.scope.launch { drain(change.connection) }
        }
    }

    private suspend fun drain(connection: SetConnection<Pipe>) {
        val pipe = connection.connection
        shell.desk.retire(pipe)
        try {
            withTimeoutOrNull(if (shell.isClosing()) MOST_CLOSING else shell.policy.drainTimeout) { pipe.idle.await() }
        } finally {
            pipe.lease?.close()
        }
    }

    private fun noticed(notice: SetNotice) {
        when (notice) {
            is SetNotice.ConnectFailed -> {
                val where = if (isService) connector.describe(notice.backend) else url
                shell.desk.tell(SocketNotice.ConnectFailed(where, notice.attempt, notice.retryMillis, notice.cause))
            }

            is SetNotice.ResolverFailed -> shell.desk.tell(SocketNotice.ResolverEnded(url, notice.cause))

            is SetNotice.ResolverCompleted -> if (isService) shell.desk.tell(SocketNotice.ResolverEnded(url, null))

            else -> Unit
        }
    }

    override suspend fun close() {
        val policy = shell.policy
        val done = shell.scope.launch { shut(policy.drainTimeout) }
        // By then its pipes are closed. A resolver that does not hear that it is to end is left to the scope.
        withTimeoutOrNull(policy.drainTimeout + policy.linger + GRACE) { done.join() }
    }

    override suspend fun shut(limit: Duration) {
        opened.await().close(limit.coerceAtMost(MOST_CLOSING).inWholeMilliseconds)
        shell.remove(this)
    }

    override fun force() = Unit

    override suspend fun awaitEnd() {
        for (pipe in shell.desk.pipes()) if (pipe.endpoint === this) shell.finish(pipe, Duration.ZERO)
    }

    private companion object {
        val MOST_CLOSING = 24.hours
        val GRACE = 50.milliseconds
    }
}

/** Opens pipes for the connection set of one endpoint. */
internal class PipeConnector(
    private val shell: SocketShell,
    private val priority: PipePriority,
    private val locate: (Backend) -> Pair<SocketAddress, Transport>,
) : Connector<Pipe> {
    lateinit var endpoint: DialedEndpoint

    fun describe(backend: Backend): String = locate(backend).first.toString()

    override suspend fun connect(backend: Backend): Pipe {
        val (address, transport) = locate(backend)
        val pipe = Pipe(shell.desk, PipeIds.next(), address.toString(), false, priority, transport.framing, endpoint)
        pipe.backend = backend
        shell.desk.admit(pipe)
        val link = try {
            transport.dial(address, shell.policy.link, pipe)
        } catch (e: RuntimeException) {
            pipe.onClosed(e)
            throw e
        }
        pipe.link = link
        try {
            shell.awaitHandshake(pipe, shell.policy.connectTimeout)
            pipe.opened.await()
        } catch (e: Throwable) {
            // Cancelled just when it opened: its peer may have sent something, so it is closed like any other.
            if (!shell.desk.giveUp(pipe, "it is not wanted any more") { it.wasAttached }) return pipe
            link.close()
            withContext(NonCancellable) { pipe.closed.await() }
            throw e
        }
        return pipe
    }

    override suspend fun awaitClosed(connection: Pipe) {
        connection.closed.await()?.let { throw it }
    }

    override suspend fun close(connection: Pipe) {
        // Again, for one that came and went so fast that the set did not tell of it.
        shell.desk.retire(connection)
        shell.finish(connection, shell.policy.linger)
    }
}

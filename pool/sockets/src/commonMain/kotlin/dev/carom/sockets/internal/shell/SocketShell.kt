package dev.carom.sockets.internal.shell

import dev.carom.pool.Backend
import dev.carom.pool.Resolver
import dev.carom.pool.fixedResolver
import dev.carom.sockets.DropReason
import dev.carom.sockets.MessageSocket
import dev.carom.sockets.PipePriority
import dev.carom.sockets.Protocol
import dev.carom.sockets.SocketCounters
import dev.carom.sockets.SocketEndpoint
import dev.carom.sockets.SocketException
import dev.carom.sockets.SocketNotice
import dev.carom.sockets.SocketPipe
import dev.carom.sockets.SocketPolicy
import dev.carom.sockets.SocketReport
import dev.carom.sockets.internal.state.SocketEvent
import dev.carom.sockets.internal.state.SocketState
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.merge
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.Volatile
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/** How a socket is set up, beside what its user says. */
internal class Setting(val guards: Guards, val timeSource: TimeSource, val random: Random)

/**
 * The life of one socket in its scope: endpoints come and go, and at the end all of them, and all pipes, are closed.
 *
 *     Open ──close──► Closing: nothing is accepted, what was accepted is sent ──all pipes gone, or forced──► Closed
 *       └──the scope is cancelled──► forced ──────────────────────────────────────────────────────────────────►┘
 */
internal class SocketShell(
    scope: CoroutineScope,
    override val name: String,
    override val protocol: Protocol,
    override val policy: SocketPolicy,
    private val transports: Transports,
    state: SocketState,
    val setting: Setting,
) : MessageSocket {
    private val start: TimeMark = setting.timeSource.markNow()
    private val job = SupervisorJob(scope.coroutineContext[Job])
    val scope = CoroutineScope(scope.coroutineContext + job + CoroutineName("socket $name"))
    private val guard = setting.guards.make()
    val desk = Desk(protocol, policy, state, guard, start::elapsedNow)
    private val endpoints = LinkedHashSet<Endpoint>()
    private val helpers = ArrayList<Job>()
    private val deadline = MutableStateFlow(Duration.INFINITE)
    private val report = CompletableDeferred<SocketReport>()
    private val cutShort = CompletableDeferred<Unit>()
    private var closing = false
    private var cutOff = 0

    /** Nothing is waited for any more. */
    @Volatile
    var forced = false
        private set

    override val pipes: StateFlow<List<SocketPipe>> get() = desk.news.pipes
    override val notices: Flow<SocketNotice> get() = desk.news.notices
    override val counters: SocketCounters get() = desk.counters

    fun run() {
        helpers += scope.launch { runTimer() }
        // Started at once: whatever happens to the scope from now on, it is heard of.
        helpers += scope.launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                awaitCancellation()
            } finally {
                withContext(NonCancellable) { end() }
            }
        }
    }

    override suspend fun awaitPipes(count: Int) {
        require(count >= 0) { "count must not be negative, was $count" }
        val ended = flow {
            report.join()
            emit(false)
        }
        val enough = merge(pipes.filter { it.size >= count }.map { true }, ended).first()
        if (!enough) throw SocketException.Closed(name)
    }

    override suspend fun bind(url: String): SocketEndpoint = bind(url, PipePriority.DEFAULT)

    override suspend fun bind(url: String, priority: PipePriority): SocketEndpoint {
        val address = transports.address(url, bind = true)
        val endpoint = BoundEndpoint(this, address, transports.of(address), priority)
        return register(endpoint).also { it.awaitBound() }
    }

    override fun connect(url: String): SocketEndpoint = connect(url, PipePriority.DEFAULT)

    override fun connect(url: String, priority: PipePriority): SocketEndpoint {
        val address = transports.address(url, bind = false)
        val transport = transports.of(address)
        // The set knows services: to it an address is one that has a single backend, wherever that may be.
        val only = fixedResolver(Backend(name = url, host = "/$url", port = 0))
        val connector = PipeConnector(this, priority) { address to transport }
        return register(DialedEndpoint(this, address.toString(), only, connector, isService = false))
    }

    override fun connect(resolver: Resolver): SocketEndpoint = connect(resolver, "tcp")

    override fun connect(resolver: Resolver, scheme: String): SocketEndpoint =
        connect(resolver, scheme, PipePriority.DEFAULT)

    override fun connect(resolver: Resolver, scheme: String, priority: PipePriority): SocketEndpoint {
        val service = "$scheme://service"
        val transport = transports.forScheme(scheme, service)
        val connector = PipeConnector(this, priority) { backend ->
            if (backend.host.startsWith("/")) {
                SocketAddress.path("ipc", backend.host) to transports.forScheme("ipc", "ipc://${backend.host}")
            } else {
                val (host, port) = backend.host to backend.port
                SocketAddress.hostPort(scheme, host, port, authority = backend.authority) to transport
            }
        }
        return register(DialedEndpoint(this, service, resolver, connector, isService = true))
    }

    override suspend fun close(): SocketReport = close(policy.linger.inWholeMilliseconds)

    override suspend fun close(lingerMillis: Long): SocketReport {
        require(lingerMillis >= 0) { "lingerMillis must not be negative, was $lingerMillis" }
        val first = guard.hold {
            deadline.value = minOf(deadline.value, start.elapsedNow() + lingerMillis.milliseconds)
            !closing.also { closing = true }
        }
        if (first) scope.launch(start = CoroutineStart.UNDISPATCHED) { closeInOrder() }
        return report.await()
    }

    fun isClosing(): Boolean = guard.hold { closing }

    /** What stands at an endpoint no more. */
    fun remove(endpoint: Endpoint) {
        guard.hold { endpoints.remove(endpoint) }
    }

    /** Says the end on [pipe] when it has nothing left to do, and waits for its peer to do so too: [limit] at most. */
    suspend fun finish(pipe: Pipe, limit: Duration) {
        if (!forced) {
            // Whoever closes the socket says how long all of it may take.
            withTimeoutOrNull(if (isClosing()) Duration.INFINITE else limit) {
                pipe.idle.await()
                pipe.link?.finish()
                pipe.closed.await()
            }
        }
        pipe.link?.close()
        pipe.closed.await()
    }

    private fun <E : Endpoint> register(endpoint: E): E {
        guard.hold {
            if (closing || job.isCancelled) throw SocketException.Closed(name)
            endpoints.add(endpoint)
        }
        try {
            endpoint.begin()
        } catch (e: Throwable) {
            remove(endpoint)
            throw e
        }
        return endpoint
    }

    private suspend fun runTimer() {
        val earlier = Channel<Unit>(Channel.CONFLATED)
        desk.wakeTimer = { earlier.trySend(Unit) }
        while (true) {
            val due = desk.deadline()
            if (due == null) {
                earlier.receive()
            } else {
                withTimeoutOrNull(due - start.elapsedNow()) { earlier.receive() }
                desk.tick()
            }
        }
    }

    private suspend fun closeInOrder() {
        val before = desk.counters
        desk.tell(SocketEvent.CloseCalled)
        val enforcer = scope.launch {
            deadline.collectLatest {
                delay(it - start.elapsedNow())
                force()
            }
        }
        val all = guard.hold { endpoints.toList() }
        val shutting = scope.launch { for (endpoint in all) launch { endpoint.shut(Duration.INFINITE) } }
        select {
            shutting.onJoin {}
            cutShort.onJoin {}
        }
        if (forced) {
            for (endpoint in all) endpoint.awaitEnd()
            // All pipes are closed. A resolver that does not hear that it is to end is left to the scope.
            withTimeoutOrNull(GRACE) { shutting.join() }
        }
        enforcer.cancel()
        conclude(before)
    }

    /** The scope is cancelled, or everything has ended. */
    private suspend fun end() {
        val before = desk.counters
        guard.hold { closing = true }
        desk.tell(SocketEvent.CloseCalled)
        force()
        for (endpoint in guard.hold { endpoints.toList() }) endpoint.awaitEnd()
        conclude(before)
    }

    private fun force() {
        forced = true
        val open = desk.pipes()
        guard.hold { cutOff += open.count { it.wasAttached } }
        for (endpoint in guard.hold { endpoints.toList() }) endpoint.force()
        for (pipe in open) pipe.link?.close()
        cutShort.complete(Unit)
    }

    private fun conclude(before: SocketCounters) {
        val after = desk.counters
        fun SocketCounters.out(reason: DropReason) = droppedOut[reason] ?: 0
        val unsent = after.out(DropReason.PeerGone) - before.out(DropReason.PeerGone)
        val untaken = (after.droppedIn[DropReason.Closed] ?: 0) - (before.droppedIn[DropReason.Closed] ?: 0)
        report.complete(SocketReport(unsent, guard.hold { cutOff }, untaken))
        desk.end()
        helpers.forEach { it.cancel() }
        job.complete()
    }

    private companion object {
        val GRACE = 50.milliseconds
    }
}

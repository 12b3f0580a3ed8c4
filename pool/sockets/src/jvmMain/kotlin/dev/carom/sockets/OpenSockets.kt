package dev.carom.sockets

import dev.carom.sockets.internal.JvmGuards
import dev.carom.sockets.internal.shell.BusRole
import dev.carom.sockets.internal.shell.PairRole
import dev.carom.sockets.internal.shell.PubRole
import dev.carom.sockets.internal.shell.PullRole
import dev.carom.sockets.internal.shell.PushRole
import dev.carom.sockets.internal.shell.RepRole
import dev.carom.sockets.internal.shell.ReqRole
import dev.carom.sockets.internal.shell.RespondentRole
import dev.carom.sockets.internal.shell.Setting
import dev.carom.sockets.internal.shell.SocketShell
import dev.carom.sockets.internal.shell.SubRole
import dev.carom.sockets.internal.shell.SurveyorRole
import dev.carom.sockets.internal.state.BusState
import dev.carom.sockets.internal.state.PairState
import dev.carom.sockets.internal.state.PubState
import dev.carom.sockets.internal.state.PullState
import dev.carom.sockets.internal.state.PushState
import dev.carom.sockets.internal.state.ReplierState
import dev.carom.sockets.internal.state.ReqState
import dev.carom.sockets.internal.state.SocketState
import dev.carom.sockets.internal.state.SubState
import dev.carom.sockets.internal.state.SurveyorState
import dev.carom.sockets.transport.NioTransports
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.CoroutineScope
import kotlin.random.Random
import kotlin.time.TimeSource

/**
 * Opens a socket that asks, in this scope. Returns at once; [MessageSocket.bind] and [MessageSocket.connect] give it
 * peers.
 *
 * Like every socket it is a child of the scope: the scope does not complete while the socket is open, and cancelling the
 * scope closes it.
 *
 * @param name for messages and notices. Not empty.
 * @param policy the numbers.
 * @param transports what it can bind and connect with.
 */
public fun CoroutineScope.openReqSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): ReqSocket = ReqRole(open(name, policy, transports, Protocol.Req))

/** Opens a socket that answers requests. See [openReqSocket]. */
public fun CoroutineScope.openRepSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): RepSocket = RepRole(open(name, policy, transports, Protocol.Rep))

/** Opens a socket that publishes. See [openReqSocket]. */
public fun CoroutineScope.openPubSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): PubSocket = PubRole(open(name, policy, transports, Protocol.Pub))

/** Opens a socket that subscribes; to nothing at first. See [openReqSocket]. */
public fun CoroutineScope.openSubSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): SubSocket = SubRole(open(name, policy, transports, Protocol.Sub))

/** Opens a socket that gives out work. See [openReqSocket]. */
public fun CoroutineScope.openPushSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): PushSocket = PushRole(open(name, policy, transports, Protocol.Push))

/** Opens a socket that takes work. See [openReqSocket]. */
public fun CoroutineScope.openPullSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): PullSocket = PullRole(open(name, policy, transports, Protocol.Pull))

/** Opens a socket with one peer, [Protocol.Pair]. See [openReqSocket]. */
public fun CoroutineScope.openPairSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): PairSocket = PairRole(open(name, policy, transports, Protocol.Pair))

/** Opens a socket with one peer, [Protocol.PairV1], whose messages count their hops. See [openReqSocket]. */
public fun CoroutineScope.openPairV1Socket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): PairSocket = PairRole(open(name, policy, transports, Protocol.PairV1))

/** Opens a socket that sends to all its peers and hears them. See [openReqSocket]. */
public fun CoroutineScope.openBusSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): BusSocket = BusRole(open(name, policy, transports, Protocol.Bus))

/** Opens a socket that asks all its peers. See [openReqSocket]. */
public fun CoroutineScope.openSurveyorSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): SurveyorSocket = SurveyorRole(open(name, policy, transports, Protocol.Surveyor))

/** Opens a socket that answers surveys. See [openReqSocket]. */
public fun CoroutineScope.openRespondentSocket(
    name: String,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): RespondentSocket = RespondentRole(open(name, policy, transports, Protocol.Respondent))

private fun CoroutineScope.open(
    name: String,
    policy: SocketPolicy,
    transports: Transports,
    protocol: Protocol,
): SocketShell {
    require(name.isNotEmpty()) { "a socket's name must not be empty" }
    val setting = Setting(JvmGuards, TimeSource.Monotonic, Random.Default)
    val state = stateOf(protocol, policy, setting.random)
    return SocketShell(this, name, protocol, policy, transports, state, setting).also { it.run() }
}

private fun stateOf(protocol: Protocol, policy: SocketPolicy, random: Random): SocketState = when (protocol) {
    Protocol.Pair -> PairState(maxHops = null, policy.receiveQueue, policy.receiveQueueBytes)

    Protocol.PairV1 -> PairState(policy.maxHops, policy.receiveQueue, policy.receiveQueueBytes)

    Protocol.Pub -> PubState(policy.sendQueue, policy.overflow)

    Protocol.Sub -> SubState(policy.subscriberQueue, policy.overflow)

    Protocol.Req -> ReqState(policy.resend, random)

    Protocol.Rep, Protocol.Respondent ->
        ReplierState(policy.maxHops, policy.receiveQueue, policy.openRequests, policy.receiveQueueBytes)

    Protocol.Push -> PushState()

    Protocol.Pull -> PullState(policy.receiveQueue, policy.receiveQueueBytes)

    Protocol.Surveyor -> SurveyorState(policy.surveyDeadline, policy.surveyAnswers, policy.sendQueue, random)

    Protocol.Bus -> BusState(policy.sendQueue, policy.receiveQueue, policy.overflow, policy.receiveQueueBytes)
}

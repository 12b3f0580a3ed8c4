package dev.carom.sockets

import dev.carom.sockets.internal.JvmGuards
import dev.carom.sockets.internal.shell.PairRole
import dev.carom.sockets.internal.shell.PullRole
import dev.carom.sockets.internal.shell.PushRole
import dev.carom.sockets.internal.shell.Setting
import dev.carom.sockets.internal.shell.SocketShell
import dev.carom.sockets.internal.state.PairState
import dev.carom.sockets.internal.state.PullState
import dev.carom.sockets.internal.state.PushState
import dev.carom.sockets.internal.state.SocketState
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.TestScope
import kotlin.random.Random

/** Opens a socket in the virtual time of `runTest`, with dice that fall the same way every time. */
internal fun TestScope.virtualPush(policy: SocketPolicy, transports: Transports): PushSocket =
    PushRole(virtual("push", Protocol.Push, PushState(), policy, transports))

internal fun TestScope.virtualPull(policy: SocketPolicy, transports: Transports): PullSocket =
    PullRole(virtual("pull", Protocol.Pull, PullState(policy.receiveQueue), policy, transports))

internal fun TestScope.virtualPair(policy: SocketPolicy, transports: Transports): PairSocket =
    PairRole(virtual("pair", Protocol.Pair, PairState(maxHops = null, policy.receiveQueue), policy, transports))

@OptIn(ExperimentalCoroutinesApi::class)
private fun TestScope.virtual(
    name: String,
    protocol: Protocol,
    state: SocketState,
    policy: SocketPolicy,
    transports: Transports,
): SocketShell {
    val setting = Setting(JvmGuards, testScheduler.timeSource, Random(1))
    return SocketShell(this, name, protocol, policy, transports, state, setting).also { it.run() }
}

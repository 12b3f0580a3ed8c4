package dev.carom.sockets

import dev.carom.sockets.internal.JvmGuards
import dev.carom.sockets.internal.shell.RawRole
import dev.carom.sockets.internal.shell.Setting
import dev.carom.sockets.internal.shell.SocketShell
import dev.carom.sockets.internal.state.RawState
import dev.carom.sockets.transport.NioTransports
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.CoroutineScope
import kotlin.random.Random
import kotlin.time.TimeSource

/**
 * Opens a raw socket of any role, for a [device]. See [openReqSocket].
 *
 * [SocketPolicy.sendQueue] messages wait for each pipe of a role that never waits; beyond, some are lost, as
 * [SocketPolicy.overflow] says, and counted.
 */
public fun CoroutineScope.openRawSocket(
    name: String,
    protocol: Protocol,
    policy: SocketPolicy = SocketPolicy(),
    transports: Transports = NioTransports.all(),
): RawSocket {
    require(name.isNotEmpty()) { "a socket's name must not be empty" }
    val state = with(policy) {
        RawState(protocol, maxHops, receiveQueue, sendQueue, overflow, receiveQueueBytes)
    }
    val setting = Setting(JvmGuards, TimeSource.Monotonic, Random.Default)
    return RawRole(SocketShell(this, name, protocol, policy, transports, state, setting).also { it.run() })
}

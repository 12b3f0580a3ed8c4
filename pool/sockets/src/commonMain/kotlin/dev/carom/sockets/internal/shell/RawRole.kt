package dev.carom.sockets.internal.shell

import dev.carom.sockets.MessageSocket
import dev.carom.sockets.Protocol
import dev.carom.sockets.RawMessage
import dev.carom.sockets.RawSocket
import dev.carom.sockets.internal.state.SocketEvent
import dev.carom.sockets.internal.state.routes
import dev.carom.sockets.internal.state.stacks
import dev.carom.sockets.internal.wire.Backtrace
import kotlinx.coroutines.flow.Flow

internal class RawRole(private val shell: SocketShell) :
    RawSocket,
    MessageSocket by shell {
    private val sends = protocol != Protocol.Sub && protocol != Protocol.Pull
    private val receives = protocol != Protocol.Pub && protocol != Protocol.Push

    override suspend fun send(message: RawMessage) {
        if (!sends) throw UnsupportedOperationException("a ${protocol.label} socket does not send")
        val outcome = shell.within(policy.sendTimeout, "no peer took a message") {
            SocketEvent.SendCalled(it, message.rest, message.hop)
        }
        shell.check(outcome)
    }

    override suspend fun receive(): RawMessage {
        checkReceives()
        return raw(shell.delivered(policy.receiveTimeout, "no message came") { SocketEvent.ReceiveCalled(it) })
    }

    override val messages: Flow<RawMessage>
        get() {
            checkReceives()
            return shell.all(::raw)
        }

    private fun raw(delivery: Outcome.Delivered): RawMessage {
        val message = delivery.message
        val hop = if (protocol.routes || protocol == Protocol.Bus) message.pipe else 0
        val words = when {
            protocol == Protocol.PairV1 -> 1
            protocol.stacks -> (Backtrace.read(message.body, MOST_HOPS) as? Backtrace.Complete)?.words?.size ?: 0
            else -> 0
        }
        return RawMessage(hop, words, message.body)
    }

    private fun checkReceives() {
        if (!receives) throw UnsupportedOperationException("a ${protocol.label} socket does not receive")
    }

    private companion object {
        const val MOST_HOPS = 255
    }
}

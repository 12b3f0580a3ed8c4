package dev.carom.sockets.internal.inproc

import dev.carom.sockets.SocketException
import dev.carom.sockets.internal.shell.Guards
import dev.carom.sockets.internal.shell.hold
import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.Framing
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transport

/**
 * Sockets of one process, by name. There is no thread and no buffer of the system in between: what one side flushes the
 * other hears in the same thread, unless it is hearing something already.
 */
internal class InprocTransport(private val guards: Guards) : Transport {
    private val guard = guards.make()
    private val listeners = HashMap<String, Place>()

    override val scheme: String get() = "inproc"
    override val addressing: Addressing get() = Addressing.Name
    override val framing: Framing get() = Framing.Stream

    override fun dial(address: SocketAddress, options: LinkOptions, handler: LinkHandler): Link {
        val name = address.path
        val both = guards.make()
        val near = InprocLink(both, options, "inproc://$name")
        val far = InprocLink(both, options, "inproc://$name")
        near.hears(handler)
        val place = guard.hold { listeners[name]?.also { it.entering++ } }
        val accepted = try {
            place != null && place.accept(near, far)
        } finally {
            place?.entered()
        }
        if (!accepted) near.refuse(NobodyListens(address.toString()))
        return near
    }

    override fun listen(address: SocketAddress, options: LinkOptions, acceptor: Acceptor): Listener {
        val place = Place(address.path, acceptor)
        val taken = guard.hold {
            if (address.path in listeners) true else false.also { listeners[address.path] = place }
        }
        if (taken) {
            acceptor.onClosed(SocketException.AddressInUse(address.toString()))
        } else {
            acceptor.onBound(address)
        }
        return place
    }

    private inner class Place(private val name: String, private val acceptor: Acceptor) : Listener {
        /** Guarded: those who are being accepted at this moment. */
        var entering = 0

        /** Guarded. */
        private var closed = false

        fun accept(near: InprocLink, far: InprocLink): Boolean {
            far.hears(acceptor.onAccept(far) ?: return false)
            near.join(far)
            return true
        }

        /** Who came while it was closed is accepted first: after the end nobody comes. */
        fun entered() {
            val last = guard.hold { --entering == 0 && closed }
            if (last) acceptor.onClosed(null)
        }

        override fun close() {
            val empty = guard.hold {
                if (listeners[name] !== this) return
                listeners.remove(name)
                closed = true
                entering == 0
            }
            if (empty) acceptor.onClosed(null)
        }
    }
}

/** Said to a dialer, who tries again. */
internal class NobodyListens(url: String) : RuntimeException("nobody listens at $url")

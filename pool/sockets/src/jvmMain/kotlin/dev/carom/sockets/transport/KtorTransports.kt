package dev.carom.sockets.transport

import dev.carom.sockets.internal.ktor.KtorAddresses
import dev.carom.sockets.internal.ktor.KtorReactor
import dev.carom.sockets.internal.ktor.KtorTransport

/**
 * Transports on ktor-network, for programs that have it anyway: slower than [NioTransports], the same otherwise, but
 * the address to connect from cannot be chosen.
 *
 * While a link or a listener is open, one daemon thread of its own waits for readiness; bytes are moved on
 * `Dispatchers.IO`.
 */
public object KtorTransports {
    private val reactor = KtorReactor()

    /** `tcp://host:port`. */
    @JvmStatic
    public fun tcp(): Transport = KtorTransport(
        "tcp",
        Addressing.HostPort,
        Framing.Stream,
        reactor,
        KtorAddresses.Tcp(),
    )

    /** `ipc://path`: Unix-domain sockets. A file that a dead process left behind is replaced. */
    @JvmStatic
    public fun ipc(): Transport = KtorTransport("ipc", Addressing.Path, Framing.Typed, reactor, KtorAddresses.Ipc)

    /** [tcp], [ipc], and `inproc://name` within the process. */
    @JvmStatic
    public fun all(): Transports = Transports(tcp(), ipc(), inprocTransport())
}

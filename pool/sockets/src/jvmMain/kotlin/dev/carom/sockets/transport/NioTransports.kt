package dev.carom.sockets.transport

import dev.carom.sockets.internal.nio.IpcTransport
import dev.carom.sockets.internal.nio.NioLoops
import dev.carom.sockets.internal.nio.TcpTransport

/**
 * Transports on a selector loop of our own, whose one daemon thread runs while a link or a listener is open and is shared
 * by all sockets of the process. What waits for a message is resumed by that thread; one message after a pause is
 * written by the thread that sends, and in a burst the loop writes many at once.
 *
 * Where messages come within some ten microseconds of each other, time after time, the thread waits for the next one
 * awake, yielding to others, 100 µs at most, and then sleeps: a round trip on one machine takes half to an eighth of the
 * time. One that is silent uses no processor time. The system property `carom.sockets.awakeMicros`, 0 to 1,000, says how
 * long instead; 0 is never. On a single processor it is never.
 */
public object NioTransports {
    /** `tcp://host:port`. */
    @JvmStatic
    public fun tcp(): Transport = TcpTransport(NioLoops.shared)

    /**
     * `ipc://path`: Unix-domain sockets. A file that a dead process left behind is replaced; the file is deleted when the
     * endpoint closes.
     */
    @JvmStatic
    public fun ipc(): Transport = IpcTransport(NioLoops.shared)

    /** [tcp], [ipc], and `inproc://name` within the process: what a socket has unless it is told otherwise. */
    @JvmStatic
    public fun all(): Transports = Transports(tcp(), ipc(), inprocTransport())
}

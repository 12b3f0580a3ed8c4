package dev.carom.sockets.transport

/**
 * Carries the bytes of sockets: what stands behind one URL scheme. Handshake, frames and protocols are not its business.
 *
 * Written with callbacks, so that an engine can hand on all that one read brought, resume whoever waits for it right
 * there, and write in the thread that sends. May be written in Java. An instance serves any number of sockets at once
 * and may be used from any thread. It runs threads or coroutines only while a [Link] or [Listener] of its own is open,
 * and costs no processor time while nothing happens.
 *
 * **Locks.** [Link.write] and [Link.pause] never call back, so that they may be called with a lock held;
 * everything else may call a handler before it returns, and is called without one. An engine holds no lock of its own
 * while it calls a handler.
 */
public interface Transport {
    /** The scheme in lower case, without `://`, such as `tcp`. */
    public val scheme: String

    /** What stands behind the scheme in an address. */
    public val addressing: Addressing

    /** How messages stand in the byte stream. */
    public val framing: Framing

    /**
     * Begins to connect, and returns at once: the link is not open yet. Name lookups are made here, at each call, off
     * the caller's thread, and every address of a name is tried. There is no time limit: whoever dials closes the link
     * when it takes too long.
     *
     * The [handler] hears either [LinkHandler.onOpen] and at the end [LinkHandler.onClosed], or only the latter, with
     * the cause. Both may come before this function returns.
     *
     * @param address of this transport's [scheme], to connect to.
     * @return the link that the handler hears of; until it is open only [Link.close] may be called.
     */
    public fun dial(address: SocketAddress, options: LinkOptions, handler: LinkHandler): Link

    /**
     * Begins to listen, and returns at once. The [acceptor] hears either [Acceptor.onBound] and at the end
     * [Acceptor.onClosed], or only the latter, with the cause. Both may come before this function returns.
     *
     * @param address of this transport's [scheme], to bind to.
     */
    public fun listen(address: SocketAddress, options: LinkOptions, acceptor: Acceptor): Listener
}

/** What stands behind the scheme of a [SocketAddress]. */
public enum class Addressing {
    /** `host:port`, optionally with the local address in front: `local;host:port`. */
    HostPort,

    /** A path of the file system. */
    Path,

    /** Any name, compared as it is. */
    Name,
}

/** How messages stand in a byte stream. */
public enum class Framing {
    /** A length of 64 bits, big endian, in front of each message (sp-tcp-mapping). */
    Stream,

    /** A type of one byte, and then as [Stream] (sp-ipc-mapping). */
    Typed,
}

package dev.carom.sockets.transport

/**
 * One connection: a byte stream each way. Functions may be called from any thread; [write] only by one at a time. After
 * the link has closed they do nothing.
 */
public interface Link {
    /** The other end, for people: `127.0.0.1:4242`. Empty until it is known. */
    public val remote: String

    /** Who the other end has proved to be, such as the subject of its certificate; null if nobody asked. */
    public val identity: String? get() = null

    /**
     * How many calls of [write] have not been passed on in full: to the operating system, or to the peer if there is
     * none in between. Keeps its value when the link has closed, for those are lost; what is written between the link's
     * end and [LinkHandler.onClosed] is counted too.
     */
    public val unwritten: Int

    /**
     * Appends [headSize] bytes of [head] and `body[from, to)` to what is to be sent, and neither blocks nor calls back.
     * The head is copied before this returns; the body may be kept as it is, and nobody changes it any more. To be
     * sent, [flush] must be called afterwards; the link may begin before.
     *
     * All is taken, whatever the size. The answer says whether more is welcome: false if
     * [LinkOptions.sendBuffer] bytes or more are waiting now. For each false there is one [LinkHandler.onWritable]
     * later, unless the link closes before.
     *
     * @param headSize 0..[head].size.
     */
    public fun write(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean

    /**
     * Sends what was written. In the calling thread if nobody else is sending and the link has been idle, otherwise
     * together with what others wrote. Never blocks. May call [LinkHandler.onWritable] before it returns.
     */
    public fun flush()

    /**
     * Reads no more: the peer will have to wait. A call of [LinkHandler.onBytes] that is under way goes on, also
     * the one this is called from; if this is called from another thread, one more may come. Does not call back.
     */
    public fun pause()

    /** Reads again, after [pause]. */
    public fun resume()

    /**
     * Nothing more will be written: when all that was written has been sent, the peer is told so (a half-close). Reading
     * goes on.
     */
    public fun finish()

    /** Ends the link at once, at any time: what has not been sent is lost. [LinkHandler.onClosed] follows, once. */
    public fun close()
}

/**
 * Hears what happens on one [Link]. All calls but [onWritable] come one after another, each seeing what the one before
 * did; no call may block. What a handler throws closes the link with that cause.
 *
 *     dial ──► onOpen ──► (onBytes | onWritable)* ──► onEnd? ──► onClosed
 *       └──the link could not be opened────────────────────────────┘
 */
public interface LinkHandler {
    /** The link is open, security included: both sides may write. Reading begins when this returns. */
    public fun onOpen(link: Link)

    /**
     * `bytes[from, to)` came: as much as one read brought, at most 256 KiB. The array is the engine's, and is used again
     * when this returns.
     */
    public fun onBytes(bytes: ByteArray, from: Int, to: Int)

    /**
     * After a [Link.write] that said false: at most half of [LinkOptions.sendBuffer] is waiting now. Comes once for each
     * false, on any thread, also beside other calls.
     */
    public fun onWritable()

    /** The peer will send nothing more. The link stays open for what we have to say. */
    public fun onEnd()

    /**
     * The link has closed, and everything it held is free. The last call, and the only one that always comes.
     *
     * @param cause why it failed; null if [Link.close] was called.
     */
    public fun onClosed(cause: Throwable?)
}

/** A place where links are accepted. */
public interface Listener {
    /** Accepts no more. Links that were accepted stay. [Acceptor.onClosed] follows, once. */
    public fun close()
}

/** Hears what happens at one [Listener]; its calls come one after another, and may not block. */
public interface Acceptor {
    /**
     * Peers can connect now.
     *
     * @param address with the port that the system chose, if it had to.
     */
    public fun onBound(address: SocketAddress)

    /**
     * Somebody connected. Called before anything was exchanged, security included: [LinkHandler.onOpen] of the handler
     * follows when the link can be used. Until then only [Link.close] may be called.
     *
     * @return who hears what happens on the link, or null to close it at once.
     */
    public fun onAccept(link: Link): LinkHandler?

    /** Accepting one link failed, for want of file descriptors say. The listener goes on after a pause of 100 ms. */
    public fun onAcceptFailed(cause: Throwable)

    /**
     * Nobody listens any more, and the address is free. The last call, and the only one that always comes.
     *
     * @param cause why it failed; null if [Listener.close] was called.
     */
    public fun onClosed(cause: Throwable?)
}

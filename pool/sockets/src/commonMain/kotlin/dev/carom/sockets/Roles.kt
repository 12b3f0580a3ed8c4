package dev.carom.sockets

import kotlinx.coroutines.flow.Flow

/**
 * A socket that sends each message to one peer.
 *
 * **Messages are handed over**: who has sent an array changes it no more.
 */
public interface SendingSocket : MessageSocket {
    /**
     * Sends [message] to one peer that has room for it, and waits while none has; first come, first served. Returns when
     * the message has been accepted: it is passed on then without further help, as long as its pipe lives.
     *
     * *Cancelled* while waiting, nothing was sent. If it had just been accepted, the call returns as usual, and
     * whoever was cancelled notices at the next chance.
     *
     * @throws SocketException.TimedOut if it was not accepted within [SocketPolicy.sendTimeout].
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile; nothing was sent.
     */
    public suspend fun send(message: ByteArray)

    /**
     * [send] if a peer has room now; false if none has. Never suspends.
     *
     * @throws SocketException.Closed if the socket is closed.
     */
    public fun trySend(message: ByteArray): Boolean
}

/** A socket that receives messages, from every peer in turn. */
public interface ReceivingSocket : MessageSocket {
    /**
     * The next message. Waits while there is none; first come, first served. Each message is received once.
     *
     * *Cancelled*, no message is lost: one that was about to be received is there for the next who asks.
     *
     * @throws SocketException.TimedOut if none came within [SocketPolicy.receiveTimeout].
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile.
     */
    public suspend fun receive(): ByteArray

    /**
     * The next message if there is one, or null. Never suspends.
     *
     * @throws SocketException.Closed if the socket is closed.
     */
    public fun tryReceive(): ByteArray?

    /**
     * All messages from now on. Those who collect or receive at the same time share them: each message goes to one. A
     * message is taken when the collector is ready for it, so that a slow one makes peers wait, or lose messages if that
     * is their protocol. Completes when the socket closes. Has no [SocketPolicy.receiveTimeout].
     */
    public val messages: Flow<ByteArray>
}

/** One peer at a time, both ways ([Protocol.Pair]). A further peer is refused as long as there is one. */
public interface PairSocket :
    SendingSocket,
    ReceivingSocket

/** Gives each message to one [PullSocket], in turn among those that have room ([Protocol.Push]). */
public interface PushSocket : SendingSocket

/** Takes messages from every [PushSocket] in turn ([Protocol.Pull]). */
public interface PullSocket : ReceivingSocket

/** A socket that sends each message to all its peers, and waits for none of them. */
public interface SpreadingSocket : MessageSocket {
    /**
     * Sends [message] to every pipe there is now. Never waits: of what a slow peer does not take in time,
     * [SocketPolicy.sendQueue] messages are kept, and then some are lost, as [SocketPolicy.overflow] says, and counted.
     * Without pipes it is sent to nobody. Who has sent an array changes it no more.
     *
     * @throws SocketException.Closed if the socket is closed.
     */
    public fun send(message: ByteArray)
}

/** Sends each message to every [SubSocket] ([Protocol.Pub]). */
public interface PubSocket : SpreadingSocket

/** Sends each message to every other [BusSocket] it is connected to, and receives theirs ([Protocol.Bus]). */
public interface BusSocket :
    SpreadingSocket,
    ReceivingSocket

/**
 * Receives the messages of every [PubSocket] that begin with a topic it subscribed to ([Protocol.Sub]); without a
 * subscription, none. The topic is part of the message. Nothing is told to publishers: everything is sent here, and what
 * does not match is dropped on arrival. If nobody receives, [SocketPolicy.subscriberQueue] messages are kept, and then some
 * are lost, as [SocketPolicy.overflow] says, and counted.
 */
public interface SubSocket : ReceivingSocket {
    /**
     * Receives what begins with [topic] from now on; everything if it is empty. Counted: as many calls of [unsubscribe]
     * undo it.
     *
     * @throws SocketException.Closed if the socket is closed.
     */
    public fun subscribe(topic: ByteArray)

    /** [subscribe] to the UTF-8 bytes of [topic]. */
    public fun subscribe(topic: String): Unit = subscribe(topic.encodeToByteArray())

    /**
     * Undoes one [subscribe]. What has come and matches no longer is dropped.
     *
     * @throws SocketException.NotSubscribed if there was none.
     * @throws SocketException.Closed if the socket is closed.
     */
    public fun unsubscribe(topic: ByteArray)

    /** [unsubscribe] from the UTF-8 bytes of [topic]. */
    public fun unsubscribe(topic: String): Unit = unsubscribe(topic.encodeToByteArray())
}

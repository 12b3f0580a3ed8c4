package dev.carom.gossip

/**
 * What a packet is for. The number of each on foca's wire is its [ordinal][Enum.ordinal].
 *
 * @property numbered carries the number of the probe it belongs to.
 * @property about carries a third identity: the target of [PingReq] and [IndirectAck], else the origin of the probe.
 * @property carriesUpdates news about members follows.
 * @property carriesBroadcasts broadcasts of the application may follow.
 */
public enum class PacketKind(
    public val numbered: Boolean = false,
    public val about: Boolean = false,
    public val carriesUpdates: Boolean = true,
    public val carriesBroadcasts: Boolean = true,
) {
    /** Are you there? Answered by [Ack]. */
    Ping(numbered = true),

    /** Answers [Ping]. */
    Ack(numbered = true),

    /** Asks a relay to probe a third member. */
    PingReq(numbered = true, about = true),

    /** From the relay to the third member. */
    IndirectPing(numbered = true, about = true),

    /** From the third member back to the relay. */
    IndirectAck(numbered = true, about = true),

    /** From the relay back to who asked. */
    ForwardedAck(numbered = true, about = true),

    /** I want in: answered by [Feed]. */
    Announce(carriesUpdates = false, carriesBroadcasts = false),

    /** Some of the active members. */
    Feed,

    /** News only. */
    Gossip,

    /** Broadcasts of the application only. */
    Broadcast(carriesUpdates = false),

    /** You are believed to be dead. */
    TurnUndead(carriesUpdates = false, carriesBroadcasts = false),

    /**
     * From a relay to who asked: no answer yet. Only between members whose codec is
     * [extended][MemberCodec.extended].
     */
    Nack(numbered = true, carriesUpdates = false, carriesBroadcasts = false),
}

/**
 * How every packet begins.
 *
 * @property source who sent it.
 * @property sourceIncarnation the sender's incarnation: it vouches for its own life in each packet.
 * @property destination whom it is for.
 * @property kind what it is for.
 * @property about the third identity, if [kind] has one.
 * @property number the probe's number, 0..255, if [kind] has one.
 * @property sourceMetadataVersion version of the sender's metadata; 0: none, or the codec does not carry it.
 */
public data class Header<I>(
    public val source: I,
    public val sourceIncarnation: Long,
    public val destination: I,
    public val kind: PacketKind,
    public val about: I? = null,
    public val number: Int = 0,
    public val sourceMetadataVersion: Long = 0,
)

package dev.carom.gossip

/** Something that happened in the cluster, or to this member. Says why; `toString` is a log line. In order. */
public sealed interface GossipNotice<I> {
    /** A member became active. */
    public class MemberUp<I>(public val member: I) : GossipNotice<I> {
        override fun toString(): String = "$member is up"
    }

    /** An active member is dead, or left. [reason] is for people. */
    public class MemberDown<I>(public val member: I, public val left: Boolean, public val reason: String) :
        GossipNotice<I> {
        override fun toString(): String = "$member ${if (left) "left" else "is down"}: $reason"
    }

    /** A member is suspected; it stays active until the suspicion's time is over. */
    public class MemberSuspected<I>(public val member: I, public val reason: String) : GossipNotice<I> {
        override fun toString(): String = "$member is suspected: $reason"
    }

    /** A suspicion was refuted. */
    public class MemberCleared<I>(public val member: I, public val incarnation: Long) : GossipNotice<I> {
        override fun toString(): String = "$member refuted the suspicion with incarnation $incarnation"
    }

    /** The node at one address has a later identity. Followed by [MemberUp] or [MemberDown] if its life changed too. */
    public class MemberRenamed<I>(public val old: I, public val new: I) : GossipNotice<I> {
        override fun toString(): String = "$old is now $new"
    }

    /** New metadata of a member arrived. */
    public class MetadataChanged<I>(public val member: I, public val version: Long, public val metadata: ByteArray) :
        GossipNotice<I> {
        override fun toString(): String = "$member has metadata version $version, ${metadata.size} bytes"
    }

    /** The first active member is known. */
    public class Active<I> : GossipNotice<I> {
        override fun toString(): String = "connected to the cluster"
    }

    /** The last active member is gone. */
    public class Idle<I> : GossipNotice<I> {
        override fun toString(): String = "no active member left"
    }

    /** This identity is dead to the cluster, and was not renewed. */
    public class Defunct<I>(public val reason: String) : GossipNotice<I> {
        override fun toString(): String = "defunct: $reason"
    }

    /** This node came back under [identity]. */
    public class Rejoined<I>(public val identity: I, public val reason: String) : GossipNotice<I> {
        override fun toString(): String = "rejoined as $identity: $reason"
    }

    /** A probe was not answered, directly or through relays. */
    public class ProbeFailed<I>(public val member: I, public val relays: List<I>, public val localHealth: Int) :
        GossipNotice<I> {
        override fun toString(): String = "probe of $member failed, asked $relays too; local health $localHealth"
    }

    /** A probe was answered over a stream only: packets to [member] are lost. */
    public class PacketsLost<I>(public val member: I) : GossipNotice<I> {
        override fun toString(): String = "$member answers over a stream but not to packets"
    }

    /** This node did not run for a while: its own clockwork is late, so nobody is blamed. */
    public class Stalled<I>(public val nanos: Long) : GossipNotice<I> {
        override fun toString(): String = "stalled for ${nanos / 1_000_000} ms"
    }

    /** Somebody else uses our address with the identity [other]. */
    public class AddressTaken<I>(public val other: I) : GossipNotice<I> {
        override fun toString(): String = "$other has our address"
    }

    /** What arrived was no use, and changed nothing but a counter (and what it carried before the fault). */
    public class PacketRejected<I>(public val reason: Rejection, public val size: Int, public val detail: String) :
        GossipNotice<I> {
        override fun toString(): String = "rejected $size bytes, $reason: $detail"
    }

    /** The codec could not write a packet to [to]. */
    public class PacketNotSent<I>(public val to: I, public val detail: String) : GossipNotice<I> {
        override fun toString(): String = "could not write a packet to $to: $detail"
    }

    /** A collector fell behind and lost [count] notices here. What is true now is in [Gossip.members]. */
    public class Missed<I>(public val count: Long) : GossipNotice<I> {
        override fun toString(): String = "$count notices missed"
    }

    /** A datagram or a stream of [size] bytes was not opened: [reason]. It changed nothing but a counter. */
    public class EnvelopeRejected<I>(public val reason: Opened.Reason, public val size: Int) : GossipNotice<I> {
        override fun toString(): String = "did not open an envelope of $size bytes: $reason"
    }

    /**
     * Receiving on [channel] ended although it should not. It is opened again in [retryMillis] milliseconds, for
     * ever. [detail] is for people.
     */
    public class TransportFailed<I>(
        public val channel: GossipChannel,
        public val detail: String,
        public val retryMillis: Long,
    ) : GossipNotice<I> {
        override fun toString(): String = "receiving ${channel.text} failed, again in $retryMillis ms: $detail"
    }

    /**
     * The source of seeds failed, and is asked again in [retryMillis] milliseconds, for ever; the last seeds stay.
     * [detail] is for people.
     */
    public class SeedsFailed<I>(public val detail: String, public val retryMillis: Long) : GossipNotice<I> {
        override fun toString(): String = "seeds could not be looked up, again in $retryMillis ms: $detail"
    }

    /** Something arrived on [channel] again after [TransportFailed]. */
    public class TransportRecovered<I>(public val channel: GossipChannel) : GossipNotice<I> {
        override fun toString(): String = "receiving ${channel.text} works again"
    }
}

/** What a [Transport] receives on. */
public enum class GossipChannel(internal val text: String) {
    /** Datagrams. */
    Packets("packets"),

    /** Streams that others open. */
    Streams("streams"),
}

/** Why a packet, or a stream's content, was no use. */
public enum class Rejection {
    /** More bytes than [SwimPolicy.maxPacketSize] or [SwimPolicy.MAX_STREAM]. */
    TooBig,

    /** The codec could not read it. */
    Undecodable,

    /** Read, but it does not add up: bytes left over or missing. */
    Malformed,

    /** It says it is from this very node. */
    FromOurselves,

    /** A relayed probe that has us at both ends. */
    IndirectForOurselves,

    /** The broadcast handler did not understand an item. */
    BroadcastRejected,
}

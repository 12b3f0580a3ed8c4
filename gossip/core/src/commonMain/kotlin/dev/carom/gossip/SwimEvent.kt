package dev.carom.gossip

/** What happened. Arrays are handed over: not to be changed afterwards. */
public sealed interface SwimEvent<I> {
    /** A datagram arrived. */
    public class PacketReceived<I>(public val bytes: ByteArray) : SwimEvent<I>

    /** Time passed; at the latest at [Swim.nextDeadlineNanos]. */
    public class Tick<I> : SwimEvent<I>

    /**
     * Somebody wants in: announce to [to], once. Only the address of [to] must be right. To knock until it opens, use
     * [SeedsResolved].
     */
    public class AnnounceRequested<I>(public val to: I) : SwimEvent<I>

    /** Send news to [SwimPolicy.relays] random members now. */
    public class GossipRequested<I> : SwimEvent<I>

    /** Send broadcasts to [SwimPolicy.relays] random members now. */
    public class BroadcastRequested<I> : SwimEvent<I>

    /** A new broadcast for the queue. It is refused when it cannot fit in a packet, or the handler knows it. */
    public class BroadcastAdded<I>(public val item: ByteArray) : SwimEvent<I>

    /** Say that we leave. The state becomes [SwimStatus.Defunct] at once. */
    public class LeaveRequested<I> : SwimEvent<I>

    /** Go on under another identity; the old one is declared dead. */
    public class IdentityChangeRequested<I>(public val identity: I) : SwimEvent<I>

    /**
     * Go on under the identity that was declared dead. Only when [SwimStatus.Defunct], and only after the others have
     * forgotten it ([SwimPolicy.forgetDownAfter]); then announce.
     */
    public class ReuseRequested<I> : SwimEvent<I>

    /** News from elsewhere: a snapshot, another system. With [disseminate] it is passed on. */
    public class UpdatesLearned<I>(public val updates: List<MemberUpdate<I>>, public val disseminate: Boolean) :
        SwimEvent<I>

    /**
     * Another policy. Refused when it changes [SwimPolicy.probePeriod] or [SwimPolicy.probeTimeout], or switches on
     * one of [SwimPolicy.announce], [SwimPolicy.announceToDown] and [SwimPolicy.gossip].
     */
    public class PolicyChangeRequested<I>(public val policy: SwimPolicy) : SwimEvent<I>

    /** New metadata of this member, at most [SwimPolicy.MAX_METADATA] bytes. Needs an extended codec. */
    public class MetadataChangeRequested<I>(public val metadata: ByteArray) : SwimEvent<I>

    /** The seeds, the whole set, as a resolver found them; only their addresses must be right. */
    public class SeedsResolved<I>(public val seeds: List<I>) : SwimEvent<I>

    /**
     * A peer opened stream [stream] (a number the shell gives) and sent [request], at most [SwimPolicy.MAX_STREAM]
     * bytes.
     */
    public class StreamRequested<I>(public val stream: Long, public val request: ByteArray) : SwimEvent<I>

    /** The answer to [SwimEffect.OpenStream]. */
    public class StreamAnswered<I>(public val stream: Long, public val answer: ByteArray) : SwimEvent<I>

    /** No answer came to [SwimEffect.OpenStream]: refused, broken, or too late. */
    public class StreamFailed<I>(public val stream: Long) : SwimEvent<I>
}

/** What must be done, in this order. */
public sealed interface SwimEffect<I> {
    /** Send a datagram. */
    public class Send<I>(public val to: I, public val packet: ByteArray) : SwimEffect<I> {
        override fun toString(): String = "send ${packet.size} bytes to $to"
    }

    /** Tell whoever listens. */
    public class Notify<I>(public val notice: GossipNotice<I>) : SwimEffect<I> {
        override fun toString(): String = notice.toString()
    }

    /** Open a stream to [to], send [request], and report the answer or the failure, within [timeoutNanos]. */
    public class OpenStream<I>(
        public val stream: Long,
        public val to: I,
        public val request: ByteArray,
        public val timeoutNanos: Long,
    ) : SwimEffect<I> {
        override fun toString(): String = "open stream $stream to $to with ${request.size} bytes"
    }

    /** Answer stream [stream] of a [SwimEvent.StreamRequested], and close it. Null: close it without an answer. */
    public class AnswerStream<I>(public val stream: Long, public val answer: ByteArray?) : SwimEffect<I> {
        override fun toString(): String = "answer stream $stream with ${answer?.size ?: 0} bytes"
    }

    /** The event was not acted on. */
    public class Refuse<I>(public val refusal: Refusal) : SwimEffect<I> {
        override fun toString(): String = "refused: $refusal"
    }
}

/**
 * Why an event was not acted on.
 *
 * @property reason which rule.
 * @property detail the same with numbers, for people.
 */
public class Refusal internal constructor(public val reason: Reason, public val detail: String) {
    override fun toString(): String = "$reason: $detail"

    /** Which rule. */
    public enum class Reason {
        /** The new identity is the present one. */
        SameIdentity,

        /** The identity was not declared dead: it need not be reused. */
        NotDefunct,

        /** The policy's rules for changes forbid it. */
        PolicyChange,

        /** The broadcast is empty. */
        EmptyBroadcast,

        /** The broadcast cannot fit in a packet. */
        BroadcastTooBig,

        /** The handler knows the broadcast already. */
        BroadcastKnown,

        /** The handler rejected the broadcast, or there is none. */
        BroadcastRejected,

        /** The metadata has more than [SwimPolicy.MAX_METADATA] bytes. */
        MetadataTooBig,

        /** The codec carries no metadata. */
        MetadataNotCarried,
    }
}

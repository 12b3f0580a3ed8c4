package dev.carom.gossip

/** What a [Swim] did so far: a copy, as of the call. All counts begin with 0 and only grow. */
public class SwimCounters internal constructor() {
    /** Datagrams sent. */
    public var packetsSent: Long = 0
        internal set

    /** Bytes in them. */
    public var bytesSent: Long = 0
        internal set

    /** Datagrams received. */
    public var packetsReceived: Long = 0
        internal set

    /** Bytes in them. */
    public var bytesReceived: Long = 0
        internal set

    /** Datagrams for another identity. */
    public var packetsMisdirected: Long = 0
        internal set

    /** Streams opened. */
    public var streamsOpened: Long = 0
        internal set

    /** Probes started. */
    public var probes: Long = 0
        internal set

    /** Probes nobody answered. */
    public var probesFailed: Long = 0
        internal set

    /** Members this node found dead: its own suspicions, and those it heard of, that ran out. */
    public var declaredDown: Long = 0
        internal set

    /** Suspicions of ourselves that we refuted. */
    public var refutations: Long = 0
        internal set

    /** Suspicions of ourselves that were too far ahead to be true. */
    public var incarnationJumps: Long = 0
        internal set

    /** Packets not sent for one of the limits: relays, feeds, and answers to the dead. */
    public var answersLimited: Long = 0
        internal set

    /** Requests to relay to or for somebody we do not know as active. */
    public var relaysRefused: Long = 0
        internal set

    /** News dropped because [SwimPolicy.maxMembers] records are kept. */
    public var membersRefused: Long = 0
        internal set

    /** Packets, streams and news of, or about, whom [Admission] does not admit. */
    public var notAdmitted: Long = 0
        internal set

    /** Broadcasts that grew too old in the queue, or made room for others. */
    public var broadcastsDropped: Long = 0
        internal set
    private val rejections = LongArray(Rejection.entries.size)

    /** Packets and streams rejected for [reason]. */
    public fun rejected(reason: Rejection): Long = rejections[reason.ordinal]

    /** Packets and streams rejected. */
    public val rejected: Long get() = rejections.sum()

    internal fun reject(reason: Rejection) {
        rejections[reason.ordinal]++
    }

    internal fun copy(): SwimCounters {
        val from = this
        return SwimCounters().apply {
            packetsSent = from.packetsSent
            bytesSent = from.bytesSent
            packetsReceived = from.packetsReceived
            bytesReceived = from.bytesReceived
            packetsMisdirected = from.packetsMisdirected
            streamsOpened = from.streamsOpened
            probes = from.probes
            probesFailed = from.probesFailed
            declaredDown = from.declaredDown
            refutations = from.refutations
            incarnationJumps = from.incarnationJumps
            answersLimited = from.answersLimited
            relaysRefused = from.relaysRefused
            membersRefused = from.membersRefused
            notAdmitted = from.notAdmitted
            broadcastsDropped = from.broadcastsDropped
            from.rejections.copyInto(rejections)
        }
    }

    override fun toString(): String =
        "SwimCounters(packetsSent=$packetsSent, bytesSent=$bytesSent, packetsReceived=$packetsReceived, " +
            "bytesReceived=$bytesReceived, packetsMisdirected=$packetsMisdirected, streamsOpened=$streamsOpened, " +
            "probes=$probes, probesFailed=$probesFailed, declaredDown=$declaredDown, refutations=$refutations, " +
            "incarnationJumps=$incarnationJumps, answersLimited=$answersLimited, relaysRefused=$relaysRefused, " +
            "membersRefused=$membersRefused, notAdmitted=$notAdmitted, " +
            "broadcastsDropped=$broadcastsDropped, rejected=$rejected)"
}

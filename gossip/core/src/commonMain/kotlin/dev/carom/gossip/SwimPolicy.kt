package dev.carom.gossip

import dev.carom.gossip.internal.maxTransmissionsFor
import dev.carom.gossip.internal.suspicionNanosFor
import kotlin.jvm.JvmStatic
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of a member. Checked when constructed: a value out of bounds is an [IllegalArgumentException] with the
 * value and the bound. The defaults are those of [lan]. From Java: `SwimPolicyBuilder`.
 *
 * @property probePeriod time between two probes. 1 ms or more, finite; two or three times [probeTimeout] is good. Times
 *   (1 + local health) with [lifeguard].
 * @property probeTimeout how long a probe waits for an answer before it asks relays. Positive, below [probePeriod];
 *   about the 99th percentile of the round-trip time. Times (1 + local health) with [lifeguard].
 * @property relays members asked to probe for us when an answer is missing; also how many are told at once of anything
 *   urgent: leaving, refuting, a new identity. 1..255.
 * @property maxTransmissions copies sent of each piece of news. 1..255, or 0: as many as the cluster's present size n
 *   asks for, 4 log10(n + 1), at least one.
 * @property suspicionTimeout how long a suspect may refute; with [lifeguard], the least of it. Positive and finite, or
 *   null: as the present size n asks for, [suspicionMultiplier] · max(1, log10 n) · [probePeriod].
 * @property suspicionMultiplier see [suspicionTimeout]. 1..100.
 * @property forgetDownAfter how long a dead member is remembered, so that late news cannot revive it. Positive;
 *   [Duration.INFINITE] for ever. One record per address is kept, whatever this is.
 * @property maxPacketSize bytes of a packet, sent and accepted. 64..65507.
 * @property notifyDown tell members that are believed dead, so that they come back under a new identity.
 * @property announce announces to active members: each answers with some of the members it knows. Null: never.
 * @property announceToDown announces to dead members: heals partitions without seeds. Null: never.
 * @property gossip news beside the probes, while there is any. Null: never.
 * @property seedInterval how often seeds that are not active members are announced to, for ever. At least 10 ms;
 *   [Duration.INFINITE] never. Alone, it begins with [probePeriod] and doubles up to this.
 * @property syncInterval how often the whole membership is compared with that of one random member, over a stream;
 *   longer from 33 members on. At least 10 ms; [Duration.INFINITE] never. Only with an extended codec.
 * @property streamTimeout how long a stream's answer may take. At least 1 ms, finite.
 * @property lifeguard what makes false alarms rare; null: plain SWIM.
 * @property maxIncarnationJump a suspicion of an incarnation that lies further ahead of ours than this is taken for
 *   forged and ignored. 1 or more.
 * @property maxMembers most records, dead ones counted. 1..1000000. News about further members is dropped and counted.
 * @property maxBroadcasts most broadcasts queued. 1..65536. The one sent most often makes room.
 * @property broadcastLifetime how long a broadcast may wait in the queue for room and for members to send it to. At
 *   least 10 ms; [Duration.INFINITE] for ever.
 * @property relaysPerSecond most probes relayed for others. 1..1000000.
 * @property feedsPerSecond most answers to announces. 1..1000000.
 */
public class SwimPolicy(
    public val probePeriod: Duration = 1.seconds,
    public val probeTimeout: Duration = 500.milliseconds,
    public val relays: Int = 3,
    public val maxTransmissions: Int = 0,
    public val suspicionTimeout: Duration? = null,
    public val suspicionMultiplier: Int = 4,
    public val forgetDownAfter: Duration = 24.hours,
    public val maxPacketSize: Int = 1_400,
    public val notifyDown: Boolean = true,
    public val announce: PeriodicPolicy? = PeriodicPolicy(30.seconds, 1),
    public val announceToDown: PeriodicPolicy? = PeriodicPolicy(65.seconds, 2),
    public val gossip: PeriodicPolicy? = PeriodicPolicy(200.milliseconds, 3),
    public val seedInterval: Duration = 10.seconds,
    public val syncInterval: Duration = 30.seconds,
    public val streamTimeout: Duration = 10.seconds,
    public val lifeguard: LifeguardPolicy? = LifeguardPolicy(),
    public val maxIncarnationJump: Long = 1_024,
    public val maxMembers: Int = 65_536,
    public val maxBroadcasts: Int = 1_024,
    public val broadcastLifetime: Duration = 60.seconds,
    public val relaysPerSecond: Int = 100,
    public val feedsPerSecond: Int = 50,
) {
    init {
        bounded("probePeriod", probePeriod, 1.milliseconds)
        require(probeTimeout.isPositive() && probeTimeout < probePeriod) {
            "probeTimeout must be positive and below probePeriod $probePeriod, was $probeTimeout"
        }
        within("relays", relays, 1..MAX_BYTE)
        within("maxTransmissions", maxTransmissions, 0..MAX_BYTE)
        suspicionTimeout?.let { bounded("suspicionTimeout", it, 1.milliseconds) }
        within("suspicionMultiplier", suspicionMultiplier, 1..MAX_FACTOR)
        require(forgetDownAfter.isPositive()) { "forgetDownAfter must be positive, was $forgetDownAfter" }
        within("maxPacketSize", maxPacketSize, MIN_PACKET..MAX_PACKET)
        atLeast("seedInterval", seedInterval, 10.milliseconds)
        atLeast("syncInterval", syncInterval, 10.milliseconds)
        bounded("streamTimeout", streamTimeout, 1.milliseconds)
        require(maxIncarnationJump >= 1) { "maxIncarnationJump must be at least 1, was $maxIncarnationJump" }
        within("maxMembers", maxMembers, 1..MILLION)
        within("maxBroadcasts", maxBroadcasts, 1..MAX_SHORT)
        atLeast("broadcastLifetime", broadcastLifetime, 10.milliseconds)
        within("relaysPerSecond", relaysPerSecond, 1..MILLION)
        within("feedsPerSecond", feedsPerSecond, 1..MILLION)
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "SwimPolicy(probePeriod=$probePeriod, probeTimeout=$probeTimeout, relays=$relays, " +
            "maxTransmissions=$maxTransmissions, suspicionTimeout=$suspicionTimeout, " +
            "suspicionMultiplier=$suspicionMultiplier, forgetDownAfter=$forgetDownAfter, " +
            "maxPacketSize=$maxPacketSize, notifyDown=$notifyDown, announce=$announce, " +
            "announceToDown=$announceToDown, gossip=$gossip, seedInterval=$seedInterval, " +
            "syncInterval=$syncInterval, streamTimeout=$streamTimeout, lifeguard=$lifeguard, " +
            "maxIncarnationJump=$maxIncarnationJump, maxMembers=$maxMembers, maxBroadcasts=$maxBroadcasts, " +
            "broadcastLifetime=$broadcastLifetime, relaysPerSecond=$relaysPerSecond, feedsPerSecond=$feedsPerSecond)"

    public companion object {
        /** Most bytes of a member's metadata. */
        public const val MAX_METADATA: Int = 8_192

        /** Most bytes of a stream's request or answer. */
        public const val MAX_STREAM: Int = 1_048_576

        private const val MAX_BYTE = 255
        private const val MAX_SHORT = 65_536
        private const val MAX_FACTOR = 100
        private const val MIN_PACKET = 64
        private const val MAX_PACKET = 65_507
        private const val MILLION = 1_000_000

        /** For one data centre; follows the cluster's size. */
        @JvmStatic
        public fun lan(): SwimPolicy = SwimPolicy()

        /** For members far apart; follows the cluster's size. */
        @JvmStatic
        public fun wan(): SwimPolicy = SwimPolicy(
            probePeriod = 5.seconds,
            probeTimeout = 3.seconds,
            suspicionMultiplier = 6,
            announce = PeriodicPolicy(60.seconds, 2),
            announceToDown = PeriodicPolicy(125.seconds, 3),
            gossip = PeriodicPolicy(500.milliseconds, 4),
            syncInterval = 60.seconds,
        )

        /** For members on one machine; follows the cluster's size. */
        @JvmStatic
        public fun local(): SwimPolicy = SwimPolicy(
            probeTimeout = 200.milliseconds,
            relays = 1,
            suspicionMultiplier = 3,
            gossip = PeriodicPolicy(100.milliseconds, 3),
            syncInterval = 15.seconds,
        )

        /** As foca's `new_lan`: numbers fixed for [members] of them, 1 or more, and plain SWIM. */
        @JvmStatic
        public fun focaLan(members: Long): SwimPolicy = SwimPolicy(
            maxTransmissions = maxTransmissionsFor(members),
            suspicionTimeout = suspicionNanosFor(members, 4, 1.seconds.inWholeNanoseconds).nanoseconds,
            syncInterval = Duration.INFINITE,
            lifeguard = null,
        )

        /** As foca's `new_wan`: numbers fixed for [members] of them, 1 or more, and plain SWIM. */
        @JvmStatic
        public fun focaWan(members: Long): SwimPolicy = SwimPolicy(
            probePeriod = 5.seconds,
            probeTimeout = 3.seconds,
            maxTransmissions = maxTransmissionsFor(members),
            suspicionTimeout = suspicionNanosFor(members, 6, 5.seconds.inWholeNanoseconds).nanoseconds,
            announce = PeriodicPolicy(60.seconds, 2),
            announceToDown = PeriodicPolicy(125.seconds, 3),
            gossip = PeriodicPolicy(500.milliseconds, 4),
            syncInterval = Duration.INFINITE,
            lifeguard = null,
        )
    }
}

/**
 * Something done to random members again and again.
 *
 * @property every time between two rounds. At least 1 ms, finite.
 * @property members how many in each round. 1..255.
 */
public class PeriodicPolicy(public val every: Duration, public val members: Int) {
    /** [every] in whole milliseconds. */
    public val everyMillis: Long get() = every.inWholeMilliseconds

    init {
        bounded("every", every, 1.milliseconds)
        within("members", members, 1..255)
    }

    override fun toString(): String = "$members every $every"

    public companion object {
        /** As the constructor, with [millis] in milliseconds, 1 or more. */
        @JvmStatic
        public fun everyMillis(millis: Long, members: Int): PeriodicPolicy =
            PeriodicPolicy(millis.milliseconds, members)
    }
}

/**
 * Lifeguard (Dadgar, Phillips, Currey, *Lifeguard: Local Health Awareness for More Accurate Failure Detection*, 2018):
 * a member that is itself slow distrusts its own accusations.
 *
 * @property maxLocalHealth bound of the local health score: 0 is healthy, each point makes probes one period slower.
 *   0..64; 0 switches the score off.
 * @property suspicionFactor a suspicion begins with so many times the least timeout, and gets shorter with each member
 *   that confirms it. 1..100.
 * @property confirmations how many confirmations bring it down to the least timeout. 0..16; 0: it begins there.
 * @property buddy a suspect hears of its suspicion first in every packet sent to it.
 * @property everyoneTimes every member that hears of a suspicion times it, not only the accuser.
 */
public class LifeguardPolicy(
    public val maxLocalHealth: Int = 7,
    public val suspicionFactor: Int = 6,
    public val confirmations: Int = 2,
    public val buddy: Boolean = true,
    public val everyoneTimes: Boolean = true,
) {
    init {
        within("lifeguard.maxLocalHealth", maxLocalHealth, 0..64)
        within("lifeguard.suspicionFactor", suspicionFactor, 1..100)
        within("lifeguard.confirmations", confirmations, 0..16)
    }

    override fun toString(): String =
        "LifeguardPolicy(maxLocalHealth=$maxLocalHealth, suspicionFactor=$suspicionFactor, " +
            "confirmations=$confirmations, buddy=$buddy, everyoneTimes=$everyoneTimes)"
}

private fun within(name: String, value: Int, bounds: IntRange) {
    require(value in bounds) { "$name must be in $bounds, was $value" }
}

private fun atLeast(name: String, value: Duration, least: Duration) {
    require(value >= least) { "$name must be at least $least, was $value" }
}

private fun bounded(name: String, value: Duration, least: Duration) {
    atLeast(name, value, least)
    require(value.isFinite()) { "$name must be finite, was $value" }
}

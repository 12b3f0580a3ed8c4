package dev.carom.gossip

import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Two bytes: where, and which life. Whether it may come back is nobody's business but its own. */
class TestId(val addr: Int, val bump: Int = 0, val rejoins: Boolean = false) : Identity<TestId> {
    override fun address(): Any = addr

    override fun generation(): Long = bump.toLong()

    override fun renewed(above: Long): TestId? = if (rejoins) TestId(addr, above.toInt() + 1, true) else null

    override fun equals(other: Any?): Boolean = other is TestId && addr == other.addr && bump == other.bump

    override fun hashCode(): Int = addr * 256 + bump

    override fun toString(): String = "$addr/$bump"
}

object TestIdCodec : IdentityCodec<TestId> {
    override fun write(identity: TestId, to: PacketWriter) {
        to.byte(identity.addr)
        to.byte(identity.bump)
    }

    override fun read(from: PacketReader): TestId = TestId(from.byte(), from.byte())
}

fun id(addr: Int, bump: Int = 0) = TestId(addr, bump)

fun alive(addr: Int, incarnation: Long = 0, bump: Int = 0) = MemberUpdate(
    id(addr, bump),
    incarnation,
    MemberState.Alive,
)

fun suspect(addr: Int, incarnation: Long = 0, bump: Int = 0) =
    MemberUpdate(id(addr, bump), incarnation, MemberState.Suspect)

fun down(addr: Int, incarnation: Long = 0, bump: Int = 0) = MemberUpdate(id(addr, bump), incarnation, MemberState.Down)

/** foca's `simple()`: plain SWIM, nothing periodic but the probe. */
fun simple(
    relays: Int = 3,
    maxTransmissions: Int = 10,
    maxPacketSize: Int = 1_400,
    notifyDown: Boolean = false,
    probePeriod: Duration = 1_500.milliseconds,
    probeTimeout: Duration = 500.milliseconds,
    suspicionTimeout: Duration = 3.seconds,
    forgetDownAfter: Duration = 24.hours,
    announce: PeriodicPolicy? = null,
    announceToDown: PeriodicPolicy? = null,
    gossip: PeriodicPolicy? = null,
    lifeguard: LifeguardPolicy? = null,
    maxIncarnationJump: Long = 65_535,
    maxMembers: Int = 65_536,
    maxBroadcasts: Int = 1_024,
    broadcastLifetime: Duration = 60.seconds,
    seedInterval: Duration = Duration.INFINITE,
    syncInterval: Duration = Duration.INFINITE,
    relaysPerSecond: Int = 100,
    feedsPerSecond: Int = 50,
) = SwimPolicy(
    probePeriod = probePeriod,
    probeTimeout = probeTimeout,
    relays = relays,
    maxTransmissions = maxTransmissions,
    suspicionTimeout = suspicionTimeout,
    forgetDownAfter = forgetDownAfter,
    maxPacketSize = maxPacketSize,
    notifyDown = notifyDown,
    announce = announce,
    announceToDown = announceToDown,
    gossip = gossip,
    seedInterval = seedInterval,
    syncInterval = syncInterval,
    lifeguard = lifeguard,
    maxIncarnationJump = maxIncarnationJump,
    maxMembers = maxMembers,
    maxBroadcasts = maxBroadcasts,
    broadcastLifetime = broadcastLifetime,
    relaysPerSecond = relaysPerSecond,
    feedsPerSecond = feedsPerSecond,
)

/** A packet taken apart. */
class Sent(
    val to: TestId,
    val header: Header<TestId>,
    val updates: List<MemberUpdate<TestId>>,
    val items: List<String>,
) {
    val kind get() = header.kind

    override fun toString() = "$kind(${header.about ?: ""} ${header.number}) to $to: $updates $items"
}

/** One member on a bench: its events by hand, its clock by hand, its packets taken apart. */
class Rig(
    addr: Int = 1,
    val policy: SwimPolicy = simple(),
    val codec: MemberCodec<TestId> = PostcardCodec(TestIdCodec),
    rejoins: Boolean = false,
    handler: BroadcastHandler<TestId>? = null,
    seed: Int = 0xF0CA,
) {
    var now = 0L
        private set
    val swim = Swim(TestId(addr, 0, rejoins), policy, codec, Random(seed), handler)
    val self get() = swim.identity

    fun on(event: SwimEvent<TestId>): List<SwimEffect<TestId>> = swim.on(event, now)

    fun learn(vararg updates: MemberUpdate<TestId>, disseminate: Boolean = true) =
        on(SwimEvent.UpdatesLearned(updates.toList(), disseminate))

    fun gossip() = on(SwimEvent.GossipRequested())

    fun announce(to: TestId) = on(SwimEvent.AnnounceRequested(to))

    fun leave() = on(SwimEvent.LeaveRequested())

    fun packet(bytes: ByteArray) = on(SwimEvent.PacketReceived(bytes))

    fun receive(
        kind: PacketKind,
        from: TestId,
        vararg updates: MemberUpdate<TestId>,
        incarnation: Long = 0,
        about: TestId? = null,
        number: Int = 0,
        to: TestId = self,
        tail: List<String> = emptyList(),
    ) = packet(write(codec, Header(from, incarnation, to, kind, about, number), updates.toList(), tail))

    /** Time goes on, and everything due on the way happens. */
    fun pass(time: Duration): List<SwimEffect<TestId>> {
        val until = now + time.inWholeNanoseconds
        val effects = ArrayList<SwimEffect<TestId>>()
        while (swim.nextDeadlineNanos <= until) {
            now = maxOf(now, swim.nextDeadlineNanos)
            effects += on(SwimEvent.Tick())
        }
        now = until
        return effects
    }

    /** Time goes on, and nothing is done about it until its end. */
    fun sleep(time: Duration): List<SwimEffect<TestId>> {
        now += time.inWholeNanoseconds
        return on(SwimEvent.Tick())
    }

    /** Only the clock moves. */
    fun skip(time: Duration) {
        now += time.inWholeNanoseconds
    }

    /** Up to the next deadline. */
    fun tick(): List<SwimEffect<TestId>> {
        now = maxOf(now, swim.nextDeadlineNanos)
        return on(SwimEvent.Tick())
    }

    fun sent(effects: List<SwimEffect<TestId>>): List<Sent> =
        effects.filterIsInstance<SwimEffect.Send<TestId>>().map { read(codec, it) }

    companion object {
        fun write(
            codec: MemberCodec<TestId>,
            header: Header<TestId>,
            updates: List<MemberUpdate<TestId>> = emptyList(),
            tail: List<String> = emptyList(),
        ): ByteArray {
            val writer = PacketWriter(65_000)
            codec.writeHeader(header, writer)
            if (header.kind.carriesUpdates) {
                writer.short(updates.size)
                updates.forEach { codec.writeUpdate(it, writer) }
            }
            for (item in tail) {
                writer.short(item.length)
                writer.bytes(item.encodeToByteArray())
            }
            return writer.toByteArray()
        }

        fun read(codec: MemberCodec<TestId>, send: SwimEffect.Send<TestId>): Sent {
            val reader = PacketReader(send.packet)
            val header = codec.readHeader(reader)!!
            val counted = header.kind.carriesUpdates && reader.remaining >= 2
            val updates = if (counted) List(reader.short()) { codec.readUpdate(reader)!! } else emptyList()
            val items = ArrayList<String>()
            if (header.kind.carriesBroadcasts) {
                while (reader.remaining > 0) items += reader.bytes(reader.short()).decodeToString()
                check(!reader.failed) { reader.failure!! }
            }
            return Sent(send.to, header, updates, items)
        }
    }
}

/** The notices foca has too, as words. */
fun List<SwimEffect<TestId>>.notices(): List<String> = filterIsInstance<SwimEffect.Notify<TestId>>().mapNotNull {
    when (val notice = it.notice) {
        is GossipNotice.MemberUp -> "up ${notice.member}"
        is GossipNotice.MemberDown -> "down ${notice.member}"
        is GossipNotice.MemberRenamed -> "renamed ${notice.old} ${notice.new}"
        is GossipNotice.Active -> "active"
        is GossipNotice.Idle -> "idle"
        is GossipNotice.Defunct -> "defunct"
        is GossipNotice.Rejoined -> "rejoined ${notice.identity}"
        else -> null
    }
}

fun List<SwimEffect<TestId>>.rejections(): List<Rejection> = filterIsInstance<SwimEffect.Notify<TestId>>()
    .mapNotNull { (it.notice as? GossipNotice.PacketRejected)?.reason }

fun List<SwimEffect<TestId>>.refusals(): List<Refusal.Reason> =
    filterIsInstance<SwimEffect.Refuse<TestId>>().map { it.refusal.reason }

inline fun <reified N : GossipNotice<TestId>> List<SwimEffect<TestId>>.told(): List<N> =
    filterIsInstance<SwimEffect.Notify<TestId>>().map { it.notice }.filterIsInstance<N>()

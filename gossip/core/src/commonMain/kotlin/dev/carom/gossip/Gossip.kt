package dev.carom.gossip

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/**
 * A running member of a cluster, opened by [openGossip]. All methods may be called from any thread.
 *
 * [members] is the truth; [notices] say how it came about.
 */
public interface Gossip<I : Identity<I>> {
    /** Who this member is now: changes when the cluster had declared it dead and it came back. */
    public val identity: I

    /** Whether this member runs: false as soon as it leaves, is closed or its scope is cancelled, and for ever then. */
    public val isOpen: Boolean

    /**
     * The active members as this one sees them, this one not among them; in no order. Set before the notices of the
     * same change are told. Round-trip times are those of the last change. Empty when closed.
     */
    public val members: StateFlow<List<Member<I>>>

    /**
     * What happens from the collection on, in order, until this member is closed. Whoever falls
     * [GossipPolicy.noticeBuffer] behind loses the oldest and is told how many ([GossipNotice.Missed]); nobody slows
     * the protocol.
     */
    public val notices: Flow<GossipNotice<I>>

    /**
     * Sets the permanent seeds (the whole set; only their addresses must be right) and waits until at least one
     * member is active. Seeds that are not active members are knocked at for ever, so lonely starts and partitions
     * end by themselves. *Cancelled*, it stops waiting; the seeds stay.
     *
     * @throws GossipException.JoinTimedOut after [GossipPolicy.joinTimeout]; the seeds stay.
     * @throws GossipException.Closed if closed, or closed meanwhile.
     */
    public suspend fun join(seeds: List<I>)

    /** Sets the permanent seeds as [join] does, and waits for nobody. No effect when closed. */
    public fun seeds(seeds: List<I>)

    /**
     * Sets the permanent seeds to what [source] says, now and after each change, until this member is closed. Returns at
     * once. A source that fails is asked again after [SwimPolicy.seedInterval], at most a minute, and this is told
     * ([GossipNotice.SeedsFailed]). A second call takes the place of the first; [seeds] and [join] set what holds until
     * the source says something new. No effect when closed.
     */
    public fun follow(source: SeedSource<I>)

    /**
     * Tells the others that this member leaves, then closes. Takes [GossipPolicy.leaveTimeout] and
     * [GossipPolicy.closeTimeout] at most. *Cancelled*, it goes on without the caller. A second call waits for the
     * first.
     *
     * @return whether the news was sent as often as the policy asks, before the time was over.
     */
    public suspend fun leave(): Boolean

    /** Closes without a word: the others find out by themselves, as after a crash. Returns when all is closed. */
    public suspend fun close()

    /** Returns when this member is closed, by whatever. */
    public suspend fun awaitClosed()

    /**
     * Queues [item] for all members. Copied. Returns when it is queued, not when it has arrived.
     *
     * @throws GossipException.Refused if it is empty, too big for a packet, known, or not understood by the handler.
     * @throws GossipException.Closed if closed.
     */
    public suspend fun broadcast(item: ByteArray)

    /**
     * Sets what this member says about itself, at most [SwimPolicy.MAX_METADATA] bytes. Copied. Returns when it is
     * queued, not when it has arrived.
     *
     * @throws GossipException.Refused if it is too big, or the codec carries none.
     * @throws GossipException.Closed if closed.
     */
    public suspend fun updateMetadata(metadata: ByteArray)

    /**
     * Changes the protocol's numbers while it runs.
     *
     * @param policy its packets must not be longer than those this member was opened with.
     * @throws GossipException.Refused if [SwimEvent.PolicyChangeRequested] forbids the change.
     * @throws GossipException.Closed if closed.
     */
    public suspend fun changePolicy(policy: SwimPolicy)

    /**
     * What happened so far, counted.
     *
     * @throws GossipException.Closed if closed.
     */
    public suspend fun counters(): GossipCounters
}

/**
 * What a [Gossip] did so far: a copy, as of the call.
 *
 * @property swim the protocol's part.
 * @property unopened datagrams and streams that the envelope did not open: forged, replayed, truncated.
 * @property sendsDropped datagrams that were not sent because [GossipPolicy.outbox] others waited.
 * @property sendsFailed datagrams that the transport could not send.
 * @property reopened how often receiving had to be started again.
 */
public class GossipCounters internal constructor(
    public val swim: SwimCounters,
    public val unopened: Long,
    public val sendsDropped: Long,
    public val sendsFailed: Long,
    public val reopened: Long,
) {
    override fun toString(): String =
        "GossipCounters(unopened=$unopened, sendsDropped=$sendsDropped, sendsFailed=$sendsFailed, " +
            "reopened=$reopened, swim=$swim)"
}

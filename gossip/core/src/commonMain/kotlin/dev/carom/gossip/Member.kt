package dev.carom.gossip

/** What the cluster believes about a member. Alive and suspect members are *active*. */
public enum class MemberState {
    Alive,

    /** Somebody's probe failed; the member has time to refute it. */
    Suspect,

    /** Declared dead, or left. Final for the identity: the node comes back with a greater generation. */
    Down,
}

/**
 * A member as this node sees it now.
 *
 * @property id who.
 * @property state what the cluster believes.
 * @property incarnation raised by the member each time it refutes a suspicion.
 * @property metadataVersion the version of [metadata]; 0: none was received.
 * @property metadata what the member says about itself; at most [SwimPolicy.MAX_METADATA] bytes. Not to be changed.
 * @property rttNanos smoothed round-trip time of this node's own probes, in nanoseconds; -1: not measured yet.
 */
public class Member<I>(
    public val id: I,
    public val state: MemberState,
    public val incarnation: Long,
    public val metadataVersion: Long,
    public val metadata: ByteArray,
    public val rttNanos: Long,
) {
    override fun toString(): String = "$id ${state.name.lowercase()}($incarnation)"
}

/**
 * A piece of news about a member, as it goes around.
 *
 * @property id who.
 * @property incarnation which of the member's refutations this belongs to; 0 or more.
 * @property state what is claimed.
 * @property accuser who claims it, for [MemberState.Suspect] and [MemberState.Down]; null: unknown. A member that
 *   leaves accuses itself.
 * @property metadataVersion newest version of the member's metadata that the sender of this news holds; 0: none.
 */
public data class MemberUpdate<I>(
    public val id: I,
    public val incarnation: Long = 0,
    public val state: MemberState = MemberState.Alive,
    public val accuser: I? = null,
    public val metadataVersion: Long = 0,
) {
    /** Without accuser and metadata. */
    public constructor(id: I, incarnation: Long, state: MemberState) : this(id, incarnation, state, null, 0)
}

/** Where a [Swim] stands. */
public enum class SwimStatus {
    /** No active member is known. */
    Alone,

    /** At least one active member is known. */
    Connected,

    /** The cluster believes this identity to be dead, or it left. It still listens, but does not answer. */
    Defunct,
}

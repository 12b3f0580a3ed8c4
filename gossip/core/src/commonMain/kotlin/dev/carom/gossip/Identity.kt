package dev.carom.gossip

/**
 * Who a member is: an address, and which of the lives lived at that address. Yours to define: a value with `equals` and
 * `hashCode`, immutable, small (a packet carries two or three of them), with a codec ([IdentityCodec]).
 *
 * Two identities with equal addresses are the same node at different times. The one with the greater [generation] is
 * the later life and replaces the other; identities of one address and one generation that differ in something else are
 * ordered by their encoded bytes. So every node picks the same one, whatever it heard first.
 */
public interface Identity<I : Identity<I>> {
    /** Where the node is reached: unique in the cluster, with `equals` and `hashCode`; kept as a key. */
    public fun address(): Any

    /** The number of this life. Seconds since 1970 at start is a good one; it need not be consecutive. */
    public fun generation(): Long

    /**
     * The identity to go on with when the cluster believes this one to be dead: the same address, a generation greater
     * than [above]. Null: this node does not come back by itself (the state becomes [SwimStatus.Defunct]).
     */
    public fun renewed(above: Long): I?
}

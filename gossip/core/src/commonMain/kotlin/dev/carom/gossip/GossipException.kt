package dev.carom.gossip

/** Why a [Gossip] did not do what it was asked. */
public sealed class GossipException(message: String) : RuntimeException(message) {
    /** It has left, or was closed. */
    public class Closed internal constructor(identity: Any) : GossipException("$identity has left or was closed")

    /** [refusal] says which rule forbids it. */
    public class Refused internal constructor(public val refusal: Refusal) : GossipException(refusal.toString())

    /** No seed answered in time. The seeds are knocked at for ever all the same. */
    public class JoinTimedOut internal constructor(seeds: Int, limit: String) :
        GossipException("none of $seeds seeds answered within $limit; they are still asked")
}

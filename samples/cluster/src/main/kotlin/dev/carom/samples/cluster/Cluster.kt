package dev.carom.samples.cluster

import dev.carom.gossip.GossipKey
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.KeyRing
import dev.carom.gossip.Member
import dev.carom.gossip.NodeId
import dev.carom.gossip.PeriodicPolicy
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.NetPolicy
import kotlin.time.Duration.Companion.milliseconds

/** What all members of the sample agree on. */
object Cluster {
    /** The label that is sealed into every packet beside the key. */
    const val LABEL: String = "carom-sample"

    /** The service that members offer. */
    const val ROLE: String = "who"

    /** Ten seconds to refute a suspicion, probes every half second; half a minute to say goodbye. */
    @JvmField
    val policy: GossipPolicy = GossipPolicy(
        SwimPolicy(
            probePeriod = 500.milliseconds,
            probeTimeout = 200.milliseconds,
            suspicionMultiplier = 20,
            gossip = PeriodicPolicy(100.milliseconds, 3),
            announceToDown = PeriodicPolicy(5_000.milliseconds, 2),
            seedInterval = 1_000.milliseconds,
            syncInterval = 2_000.milliseconds,
        ),
        leaveTimeout = 30_000.milliseconds,
    )

    /** Loopback only; nobody else is heard. */
    @JvmStatic
    fun net(port: Int, seeds: List<String>): NetPolicy =
        NetPolicy("127.0.0.1", port, seeds = seeds, allow = listOf("127.0.0.0/8"))

    /** The cluster's keys, sealed with [key]. */
    @JvmStatic
    fun security(key: GossipKey): GossipSecurity = GossipSecurity.encrypted(KeyRing(key), LABEL)

    /** 64 hexadecimal digits. */
    @JvmStatic
    fun key(hex: String): GossipKey =
        GossipKey(hex.trim().chunked(2) { it.toString().toInt(16).toByte() }.toByteArray())

    /** One of `add`, `use` and `remove`, done to the keys of [security]. */
    @JvmStatic
    fun rotate(security: GossipSecurity, step: String, key: GossipKey) {
        val keys = checkNotNull(security.keys)
        when (step) {
            "add" -> security.rotate(keys.add(key))
            "use" -> security.rotate(keys.use(key))
            "remove" -> security.rotate(keys.remove(key))
            else -> error("unknown: $step")
        }
    }

    /** How members tell who they see: identities in order. */
    @JvmStatic
    fun seen(members: List<Member<NodeId>>): String = members.map { it.id.toString() }.sorted().joinToString(" ")
}

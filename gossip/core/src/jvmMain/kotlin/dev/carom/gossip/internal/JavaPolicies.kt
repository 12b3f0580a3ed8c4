@file:JvmName("JavaPolicies")

package dev.carom.gossip.internal

import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.SwimPolicyBuilder
import java.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

// Both conversions of the standard library turn what is beyond kotlin.time's range into infinity, and
// infinity into Duration.ofSeconds(Long.MAX_VALUE): the builder's INFINITE.

internal fun build(from: SwimPolicyBuilder): SwimPolicy = SwimPolicy(
    probePeriod = from.probePeriod().toKotlinDuration(),
    probeTimeout = from.probeTimeout().toKotlinDuration(),
    relays = from.relays(),
    maxTransmissions = from.maxTransmissions(),
    suspicionTimeout = from.suspicionTimeout()?.toKotlinDuration(),
    suspicionMultiplier = from.suspicionMultiplier(),
    forgetDownAfter = from.forgetDownAfter().toKotlinDuration(),
    maxPacketSize = from.maxPacketSize(),
    notifyDown = from.notifyDown(),
    announce = from.announce(),
    announceToDown = from.announceToDown(),
    gossip = from.gossip(),
    seedInterval = from.seedInterval().toKotlinDuration(),
    syncInterval = from.syncInterval().toKotlinDuration(),
    streamTimeout = from.streamTimeout().toKotlinDuration(),
    lifeguard = from.lifeguard(),
    maxIncarnationJump = from.maxIncarnationJump(),
    maxMembers = from.maxMembers(),
    maxBroadcasts = from.maxBroadcasts(),
    broadcastLifetime = from.broadcastLifetime().toKotlinDuration(),
    relaysPerSecond = from.relaysPerSecond(),
    feedsPerSecond = from.feedsPerSecond(),
)

internal fun fill(to: SwimPolicyBuilder, from: SwimPolicy) {
    to.probePeriod(from.probePeriod.toJavaDuration())
    to.probeTimeout(from.probeTimeout.toJavaDuration())
    to.relays(from.relays)
    to.maxTransmissions(from.maxTransmissions)
    to.suspicionTimeout(from.suspicionTimeout?.toJavaDuration())
    to.suspicionMultiplier(from.suspicionMultiplier)
    to.forgetDownAfter(from.forgetDownAfter.toJavaDuration())
    to.maxPacketSize(from.maxPacketSize)
    to.notifyDown(from.notifyDown)
    to.announce(from.announce)
    to.announceToDown(from.announceToDown)
    to.gossip(from.gossip)
    to.seedInterval(from.seedInterval.toJavaDuration())
    to.syncInterval(from.syncInterval.toJavaDuration())
    to.streamTimeout(from.streamTimeout.toJavaDuration())
    to.lifeguard(from.lifeguard)
    to.maxIncarnationJump(from.maxIncarnationJump)
    to.maxMembers(from.maxMembers)
    to.maxBroadcasts(from.maxBroadcasts)
    to.broadcastLifetime(from.broadcastLifetime.toJavaDuration())
    to.relaysPerSecond(from.relaysPerSecond)
    to.feedsPerSecond(from.feedsPerSecond)
}

internal fun build(
    swim: SwimPolicy,
    noticeBuffer: Int,
    outbox: Int,
    leaveTimeout: Duration,
    joinTimeout: Duration,
    closeTimeout: Duration,
    reopenMin: Duration,
    reopenMax: Duration,
): GossipPolicy = GossipPolicy(
    swim,
    noticeBuffer,
    outbox,
    leaveTimeout.toKotlinDuration(),
    joinTimeout.toKotlinDuration(),
    closeTimeout.toKotlinDuration(),
    reopenMin.toKotlinDuration(),
    reopenMax.toKotlinDuration(),
)

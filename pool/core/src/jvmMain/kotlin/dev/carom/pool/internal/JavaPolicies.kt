@file:JvmName("JavaPolicies")

package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.BackoffPolicy
import dev.carom.pool.BackoffPolicyBuilder
import dev.carom.pool.ClaimOptions
import dev.carom.pool.LeasePolicy
import dev.carom.pool.LeasePolicyBuilder
import dev.carom.pool.OutlierPolicy
import dev.carom.pool.OutlierPolicyBuilder
import dev.carom.pool.PlacementPolicy
import dev.carom.pool.PlacementPolicyBuilder
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolPolicyBuilder
import dev.carom.pool.QueuePolicy
import dev.carom.pool.Role
import java.time.Duration
import java.util.function.Predicate
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

// Both conversions of the standard library turn what is beyond kotlin.time's range into infinity, and
// infinity into Duration.ofSeconds(Long.MAX_VALUE): the builders' INFINITE.

internal fun build(from: PoolPolicyBuilder): PoolPolicy = PoolPolicy(
    spares = from.spares(),
    maxSlots = from.maxSlots(),
    maxSlotsPerBackend = from.maxSlotsPerBackend(),
    claimTimeout = from.claimTimeout().toKotlinDuration(),
    connectTimeout = from.connectTimeout().toKotlinDuration(),
    acquireTimeout = from.acquireTimeout().toKotlinDuration(),
    checkTimeout = from.checkTimeout().toKotlinDuration(),
    recycleTimeout = from.recycleTimeout().toKotlinDuration(),
    closeTimeout = from.closeTimeout().toKotlinDuration(),
    connectParallelism = from.connectParallelism(),
    healthInterval = from.healthInterval().toKotlinDuration(),
    healthReserve = from.healthReserve(),
    backoff = from.backoff(),
    maxLifetime = from.maxLifetime().toKotlinDuration(),
    lifetimeJitter = from.lifetimeJitter(),
    rebalanceInterval = from.rebalanceInterval().toKotlinDuration(),
    shrinkInterval = from.shrinkInterval().toKotlinDuration(),
    maxWaiters = from.maxWaiters(),
    queue = from.queue(),
    reserved = from.reserved(),
    ceiling = from.ceiling(),
    connectRate = from.connectRate(),
    authBackoff = from.authBackoff(),
    idleTimeout = from.idleTimeout().toKotlinDuration(),
    drainTimeout = from.drainTimeout().toKotlinDuration(),
    retention = from.retention(),
    roleInterval = from.roleInterval().toKotlinDuration(),
    lease = from.lease(),
    outlier = from.outlier(),
    placement = from.placement(),
    noticeBuffer = from.noticeBuffer(),
)

internal fun fill(to: PoolPolicyBuilder, from: PoolPolicy) {
    to.spares(from.spares)
    to.maxSlots(from.maxSlots)
    to.maxSlotsPerBackend(from.maxSlotsPerBackend)
    to.claimTimeout(from.claimTimeout.toJavaDuration())
    to.connectTimeout(from.connectTimeout.toJavaDuration())
    to.acquireTimeout(from.acquireTimeout.toJavaDuration())
    to.checkTimeout(from.checkTimeout.toJavaDuration())
    to.recycleTimeout(from.recycleTimeout.toJavaDuration())
    to.closeTimeout(from.closeTimeout.toJavaDuration())
    to.connectParallelism(from.connectParallelism)
    to.healthInterval(from.healthInterval.toJavaDuration())
    to.healthReserve(from.healthReserve)
    to.backoff(from.backoff)
    to.maxLifetime(from.maxLifetime.toJavaDuration())
    to.lifetimeJitter(from.lifetimeJitter)
    to.rebalanceInterval(from.rebalanceInterval.toJavaDuration())
    to.shrinkInterval(from.shrinkInterval.toJavaDuration())
    to.maxWaiters(from.maxWaiters)
    to.queue(from.queue)
    to.reserved(from.reserved)
    if (from.ceiling != from.maxSlots) to.ceiling(from.ceiling)
    to.connectRate(from.connectRate)
    to.authBackoff(from.authBackoff)
    to.idleTimeout(from.idleTimeout.toJavaDuration())
    to.drainTimeout(from.drainTimeout.toJavaDuration())
    to.retention(from.retention)
    to.roleInterval(from.roleInterval.toJavaDuration())
    to.lease(from.lease)
    to.outlier(from.outlier)
    to.placement(from.placement)
    to.noticeBuffer(from.noticeBuffer)
}

internal fun build(from: BackoffPolicyBuilder): BackoffPolicy = BackoffPolicy(
    start = from.start().toKotlinDuration(),
    max = from.max().toKotlinDuration(),
    jitter = from.jitter(),
    memory = from.memory().toKotlinDuration(),
)

internal fun fill(to: BackoffPolicyBuilder, from: BackoffPolicy) {
    to.start(from.start.toJavaDuration())
    to.max(from.max.toJavaDuration())
    to.jitter(from.jitter)
    to.memory(from.memory.toJavaDuration())
}

internal fun build(from: LeasePolicyBuilder): LeasePolicy = LeasePolicy(
    warnAfter = from.warnAfter().toKotlinDuration(),
    abortAfter = from.abortAfter().toKotlinDuration(),
    sites = from.sites(),
    nested = from.nested(),
)

internal fun fill(to: LeasePolicyBuilder, from: LeasePolicy) {
    to.warnAfter(from.warnAfter.toJavaDuration())
    to.abortAfter(from.abortAfter.toJavaDuration())
    to.sites(from.sites)
    to.nested(from.nested)
}

internal fun build(from: OutlierPolicyBuilder): OutlierPolicy = OutlierPolicy(
    failuresInARow = from.failuresInARow(),
    failureShare = from.failureShare(),
    minimumReports = from.minimumReports(),
    interval = from.interval().toKotlinDuration(),
    ejection = from.ejection().toKotlinDuration(),
    maxEjection = from.maxEjection().toKotlinDuration(),
    maxEjected = from.maxEjected(),
)

internal fun fill(to: OutlierPolicyBuilder, from: OutlierPolicy) {
    to.failuresInARow(from.failuresInARow)
    to.failureShare(from.failureShare)
    to.minimumReports(from.minimumReports)
    to.interval(from.interval.toJavaDuration())
    to.ejection(from.ejection.toJavaDuration())
    to.maxEjection(from.maxEjection.toJavaDuration())
    to.maxEjected(from.maxEjected)
}

internal fun build(from: PlacementPolicyBuilder): PlacementPolicy = PlacementPolicy(
    zone = from.zone(),
    spillBelow = from.spillBelow(),
    hold = from.hold().toKotlinDuration(),
    subset = from.subset(),
    decoherence = from.decoherence().toKotlinDuration(),
    choice = from.choice(),
    slowStart = from.slowStart().toKotlinDuration(),
)

internal fun fill(to: PlacementPolicyBuilder, from: PlacementPolicy) {
    to.zone(from.zone)
    to.spillBelow(from.spillBelow)
    to.hold(from.hold.toJavaDuration())
    to.subset(from.subset)
    to.decoherence(from.decoherence.toJavaDuration())
    to.choice(from.choice)
    to.slowStart(from.slowStart.toJavaDuration())
}

internal fun controlledDelay(target: Duration, interval: Duration): QueuePolicy =
    QueuePolicy.ControlledDelay(target.toKotlinDuration(), interval.toKotlinDuration())

internal fun options(
    holder: String?,
    tags: Map<String, String>,
    timeout: Duration?,
    reserved: Boolean,
    role: Role?,
    accepts: Predicate<in Backend>?,
    allowNested: Boolean,
): ClaimOptions = ClaimOptions(
    holder,
    tags,
    timeout?.toKotlinDuration(),
    reserved,
    role,
    accepts?.let { predicate -> { backend -> predicate.test(backend) } },
    allowNested,
)

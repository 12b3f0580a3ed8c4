@file:JvmName("JavaPolicies")

package dev.carom.pool.internal

import dev.carom.pool.BackoffPolicy
import dev.carom.pool.BackoffPolicyBuilder
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolPolicyBuilder
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

package dev.carom.pool.internal.record

import dev.carom.pool.BackendChoice
import dev.carom.pool.BackoffPolicy
import dev.carom.pool.LeasePolicy
import dev.carom.pool.NestedClaims
import dev.carom.pool.OutlierPolicy
import dev.carom.pool.PlacementPolicy
import dev.carom.pool.PoolPolicy
import dev.carom.pool.QueuePolicy
import dev.carom.pool.Retention
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds

/** All values of a policy, one field each, in the order in which [policy] reads them. */
internal fun LineWriter.policy(policy: PoolPolicy): LineWriter = with(policy) {
    values(spares, maxSlots, maxSlotsPerBackend)
    values(claimTimeout, connectTimeout, acquireTimeout, checkTimeout, recycleTimeout, closeTimeout)
    values(connectParallelism, healthInterval, healthReserve).backoff(backoff)
    values(maxLifetime, lifetimeJitter, rebalanceInterval, shrinkInterval, maxWaiters).queue(queue)
    values(reserved, ceiling, connectRate).backoff(authBackoff)
    values(idleTimeout, drainTimeout, retention, roleInterval)
    values(lease.warnAfter, lease.abortAfter, lease.sites, lease.nested)
    with(outlier) {
        values(failuresInARow, failureShare, minimumReports, interval, ejection, maxEjection, maxEjected)
    }
    with(placement) { text(zone).values(spillBelow, hold, subset, decoherence, choice, slowStart) }
    values(noticeBuffer)
}

internal fun LineReader.policy(): PoolPolicy = PoolPolicy(
    spares = count(),
    maxSlots = count(),
    maxSlotsPerBackend = count(),
    claimTimeout = duration(),
    connectTimeout = duration(),
    acquireTimeout = duration(),
    checkTimeout = duration(),
    recycleTimeout = duration(),
    closeTimeout = duration(),
    connectParallelism = count(),
    healthInterval = duration(),
    healthReserve = count(),
    backoff = backoff(),
    maxLifetime = duration(),
    lifetimeJitter = real(),
    rebalanceInterval = duration(),
    shrinkInterval = duration(),
    maxWaiters = count(),
    queue = queue(),
    reserved = count(),
    ceiling = count(),
    connectRate = real(),
    authBackoff = backoff(),
    idleTimeout = duration(),
    drainTimeout = duration(),
    retention = named(Retention.entries, plain()),
    roleInterval = duration(),
    lease = LeasePolicy(duration(), duration(), count(), named(NestedClaims.entries, plain())),
    outlier = OutlierPolicy(count(), real(), count(), duration(), duration(), duration(), real()),
    placement = placement(),
    noticeBuffer = count(),
)

private fun LineReader.placement() = PlacementPolicy(
    zone = textOrNull(),
    spillBelow = real(),
    hold = duration(),
    subset = count(),
    decoherence = duration(),
    choice = named(BackendChoice.entries, plain()),
    slowStart = duration(),
)

private fun LineWriter.values(vararg values: Any): LineWriter {
    for (value in values) plain(if (value is Duration) textOf(value) else value.toString())
    return this
}

private fun LineWriter.backoff(backoff: BackoffPolicy) =
    values(backoff.start, backoff.max, backoff.jitter, backoff.memory)

private fun LineReader.backoff() = BackoffPolicy(duration(), duration(), real(), duration())

private fun LineWriter.queue(queue: QueuePolicy) = when (queue) {
    QueuePolicy.Fifo -> plain("fifo")
    QueuePolicy.FailFast -> plain("failfast")
    is QueuePolicy.ControlledDelay -> plain("delay").values(queue.target, queue.interval)
}

private fun LineReader.queue(): QueuePolicy = when (val kind = plain()) {
    "fifo" -> QueuePolicy.Fifo
    "failfast" -> QueuePolicy.FailFast
    "delay" -> QueuePolicy.ControlledDelay(duration(), duration())
    else -> throw Damage("there is no queue \"$kind\"")
}

private fun LineReader.count(): Int = int(0..Int.MAX_VALUE)

private fun LineReader.real(): Double = plain().let { it.toDoubleOrNull() ?: throw Damage("\"$it\" is no number") }

/** Exact: nanoseconds, or, where these do not fit, milliseconds. */
private fun textOf(duration: Duration): String = when {
    duration.isInfinite() -> "inf"
    duration.inWholeNanoseconds.nanoseconds == duration -> "${duration.inWholeNanoseconds}ns"
    else -> "${duration.inWholeMilliseconds}ms"
}

private fun LineReader.duration(): Duration {
    val text = plain()
    if (text == "inf") return Duration.INFINITE
    val value = text.dropLast(2).toLongOrNull() ?: throw Damage("\"$text\" is no duration")
    return when (text.takeLast(2)) {
        "ns" -> value.nanoseconds
        "ms" -> value.milliseconds
        else -> throw Damage("\"$text\" is no duration")
    }
}

package dev.carom.pool.internal.set

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

internal const val MAX_NOTICES = 65_536

internal fun within(name: String, value: Int, bounds: IntRange) {
    require(value in bounds) {
        val bound = if (bounds.last == Int.MAX_VALUE) "at least ${bounds.first}" else "in $bounds"
        "$name must be $bound, was $value"
    }
}

internal fun atLeast(name: String, value: Duration, least: Duration) {
    require(value >= least) { "$name must be at least $least, was $value" }
}

internal fun bounded(name: String, value: Duration, least: Duration = 1.milliseconds) {
    atLeast(name, value, least)
    require(value.isFinite()) { "$name must be finite, was $value" }
}

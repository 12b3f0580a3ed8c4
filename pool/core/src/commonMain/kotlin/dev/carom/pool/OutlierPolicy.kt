package dev.carom.pool

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * When a backend that accepts connections but fails its callers gets no claims for a while (passive outlier ejection, as
 * Envoy has it). It learns from [Claim.report] and [Claim.discard] with a cause; claims that say nothing do not count.
 * From Java: `OutlierPolicyBuilder`.
 *
 * After an ejection the backend is on probation: the next failure ejects it again, for longer; a success ends it.
 *
 * @property failuresInARow so many failures without a success between them eject. 1 or more; [Int.MAX_VALUE] never.
 * @property failureShare this share of failures within an [interval] ejects. Above 0, up to 1; more than 1 never.
 * @property minimumReports reports within an [interval] below which [failureShare] is not looked at. 1 or more.
 * @property interval how often shares are looked at. At least 10 ms, finite.
 * @property ejection how long the first ejection lasts; the n-th in a row lasts n times as long. At least 10 ms, finite.
 * @property maxEjection the longest. At least [ejection], finite.
 * @property maxEjected largest share of the listed backends that may be ejected at once, 0..1. When all are bad, the rest
 *   go on being used. When none of the rest is up, ejections are lifted.
 */
public class OutlierPolicy(
    public val failuresInARow: Int = 5,
    public val failureShare: Double = 0.85,
    public val minimumReports: Int = 20,
    public val interval: Duration = 10.seconds,
    public val ejection: Duration = 30.seconds,
    public val maxEjection: Duration = 5.minutes,
    public val maxEjected: Double = 0.5,
) {
    init {
        within("outlier.failuresInARow", failuresInARow, 1..Int.MAX_VALUE)
        require(failureShare > 0) { "outlier.failureShare must be above 0, was $failureShare" }
        within("outlier.minimumReports", minimumReports, 1..Int.MAX_VALUE)
        bounded("outlier.interval", interval, 10.milliseconds)
        bounded("outlier.ejection", ejection, 10.milliseconds)
        bounded("outlier.maxEjection", maxEjection, ejection)
        require(maxEjected in 0.0..1.0) { "outlier.maxEjected must be in 0.0..1.0, was $maxEjected" }
    }

    override fun toString(): String =
        "OutlierPolicy(failuresInARow=$failuresInARow, failureShare=$failureShare, minimumReports=$minimumReports, " +
            "interval=$interval, ejection=$ejection, maxEjection=$maxEjection, maxEjected=$maxEjected)"
}

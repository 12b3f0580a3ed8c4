package dev.carom.pool.dns

import kotlin.time.toKotlinDuration
import java.time.Duration as JavaDuration

/** For the builder: Java cannot call a constructor that takes [kotlin.time.Duration]. */
internal object DnsPolicies {
    @JvmStatic
    fun of(
        minInterval: JavaDuration,
        maxInterval: JavaDuration,
        refreshAt: Double,
        jitter: Double,
        retryStart: JavaDuration,
        retryMax: JavaDuration,
        serveStaleFor: JavaDuration,
        negativesToBelieve: Int,
        roundTimeout: JavaDuration,
        serverTimeout: JavaDuration,
        attempts: Int,
        maxTargets: Int,
        parallelism: Int,
        addresses: DnsAddresses,
        removal: RemovalPolicy,
        maxKept: Int,
    ): DnsPolicy = DnsPolicy(
        minInterval.toKotlinDuration(),
        maxInterval.toKotlinDuration(),
        refreshAt,
        jitter,
        retryStart.toKotlinDuration(),
        retryMax.toKotlinDuration(),
        serveStaleFor.toKotlinDuration(),
        negativesToBelieve,
        roundTimeout.toKotlinDuration(),
        serverTimeout.toKotlinDuration(),
        attempts,
        maxTargets,
        parallelism,
        addresses,
        removal,
        maxKept,
    )
}

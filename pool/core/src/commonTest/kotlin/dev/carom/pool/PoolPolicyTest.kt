package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PoolPolicyTest :
    FunSpec({
        fun refused(message: String, policy: () -> Unit) {
            shouldThrow<IllegalArgumentException> { policy() }.message shouldBe message
        }

        test("the defaults are within their bounds, and so is each bound") {
            PoolPolicy()
            PoolPolicy(
                maxSlots = 4_032,
                spares = 0,
                claimTimeout = Duration.INFINITE,
                healthInterval = Duration.INFINITE,
            )
            PoolPolicy(maxLifetime = Duration.INFINITE, lifetimeJitter = 1.0, healthReserve = 0, noticeBuffer = 65_536)
        }

        test("a value out of bounds is refused with the value and the bound") {
            refused("maxSlots must be in 1..4032, was 0") { PoolPolicy(maxSlots = 0) }
            refused("maxSlots must be in 1..4032, was 4033") { PoolPolicy(maxSlots = 4_033) }
            refused("spares must be in 0..16, was 17") { PoolPolicy(spares = 17) }
            refused("spares must be in 0..16, was -1") { PoolPolicy(spares = -1) }
            refused("maxSlotsPerBackend must be at least 1, was 0") { PoolPolicy(maxSlotsPerBackend = 0) }
            refused("claimTimeout must be positive, was 0s") { PoolPolicy(claimTimeout = Duration.ZERO) }
            refused("connectTimeout must be finite, was Infinity") { PoolPolicy(connectTimeout = Duration.INFINITE) }
            refused("acquireTimeout must be at least 1ms, was 0s") { PoolPolicy(acquireTimeout = Duration.ZERO) }
            refused("checkTimeout must be at least 1ms, was -1s") { PoolPolicy(checkTimeout = (-1).seconds) }
            refused("recycleTimeout must be finite, was Infinity") { PoolPolicy(recycleTimeout = Duration.INFINITE) }
            refused("closeTimeout must be finite, was Infinity") { PoolPolicy(closeTimeout = Duration.INFINITE) }
            refused("connectParallelism must be at least 1, was 0") { PoolPolicy(connectParallelism = 0) }
            refused("healthInterval must be at least 1ms, was 0s") { PoolPolicy(healthInterval = Duration.ZERO) }
            refused("healthReserve must be in 0..16, was 17") { PoolPolicy(healthReserve = 17) }
            refused("maxLifetime must be at least 1s, was 999ms") { PoolPolicy(maxLifetime = 999.milliseconds) }
            refused("lifetimeJitter must be in 0.1..1.0, was 0.09") { PoolPolicy(lifetimeJitter = 0.09) }
            refused("lifetimeJitter must be in 0.1..1.0, was NaN") { PoolPolicy(lifetimeJitter = Double.NaN) }
            refused("rebalanceInterval must be at least 10ms, was 9ms") {
                PoolPolicy(rebalanceInterval = 9.milliseconds)
            }
            refused("shrinkInterval must be finite, was Infinity") { PoolPolicy(shrinkInterval = Duration.INFINITE) }
            refused("noticeBuffer must be in 1..65536, was 0") { PoolPolicy(noticeBuffer = 0) }
        }

        test("the backoff's too") {
            refused("backoff.start must be at least 1ms, was 0s") { BackoffPolicy(start = Duration.ZERO) }
            refused("backoff.max must be at least 2s, was 1s") { BackoffPolicy(start = 2.seconds, max = 1.seconds) }
            refused("backoff.jitter must be in 0.1..1.0, was 1.1") { BackoffPolicy(jitter = 1.1) }
            refused("backoff.memory must be at least 30s, was 29s") { BackoffPolicy(memory = 29.seconds) }
        }
    })

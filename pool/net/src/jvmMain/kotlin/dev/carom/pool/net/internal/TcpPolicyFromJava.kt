@file:JvmName("TcpPolicyFromJava")

package dev.carom.pool.net.internal

import dev.carom.pool.net.TcpPolicy
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration
import java.time.Duration as JavaDuration

// Java cannot call a constructor that takes kotlin.time.Duration: its name is mangled.

internal fun defaults(): TcpPolicy = TcpPolicy()

internal fun connectTimeout(policy: TcpPolicy): JavaDuration = policy.connectTimeout.toJavaDuration()

internal fun closeTimeout(policy: TcpPolicy): JavaDuration = policy.closeTimeout.toJavaDuration()

internal fun keepAliveIdle(policy: TcpPolicy): JavaDuration = policy.keepAliveIdle.toJavaDuration()

internal fun keepAliveInterval(policy: TcpPolicy): JavaDuration = policy.keepAliveInterval.toJavaDuration()

internal fun policy(
    connectTimeout: JavaDuration,
    noDelay: Boolean,
    keepAlive: Boolean,
    receiveBuffer: Int,
    sendBuffer: Int,
    closeTimeout: JavaDuration,
    quietWhenIdle: Boolean,
    keepAliveIdle: JavaDuration,
    keepAliveInterval: JavaDuration,
    keepAliveCount: Int,
): TcpPolicy = TcpPolicy(
    connectTimeout = connectTimeout.toKotlinDuration(),
    noDelay = noDelay,
    keepAlive = keepAlive,
    receiveBuffer = receiveBuffer,
    sendBuffer = sendBuffer,
    closeTimeout = closeTimeout.toKotlinDuration(),
    quietWhenIdle = quietWhenIdle,
    keepAliveIdle = keepAliveIdle.toKotlinDuration(),
    keepAliveInterval = keepAliveInterval.toKotlinDuration(),
    keepAliveCount = keepAliveCount,
)

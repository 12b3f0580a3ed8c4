@file:JvmName("TlsPolicyFromJava")

package dev.carom.pool.net.internal

import dev.carom.pool.net.TlsClientAuth
import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsListener
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration
import java.time.Duration as JavaDuration

// Named apart from those of TcpPolicy: Java callers tell the two by class, Kotlin by name.

@JvmName("defaults")
internal fun tlsDefaults(): TlsPolicy = TlsPolicy()

internal fun handshakeTimeout(policy: TlsPolicy): JavaDuration = policy.handshakeTimeout.toJavaDuration()

internal fun refusalTimeout(policy: TlsPolicy): JavaDuration = policy.refusalTimeout.toJavaDuration()

internal fun reloadInterval(policy: TlsPolicy): JavaDuration = policy.reloadInterval.toJavaDuration()

internal fun policy(
    trust: TlsTrust,
    key: TlsKey?,
    protocols: List<String>,
    verifyHost: Boolean,
    alpn: List<String>,
    clientAuth: TlsClientAuth,
    handshakeTimeout: JavaDuration,
    refusalTimeout: JavaDuration,
    reloadInterval: JavaDuration,
    listener: TlsListener,
): TlsPolicy = TlsPolicy(
    trust = trust,
    key = key,
    protocols = protocols.toList(),
    verifyHost = verifyHost,
    alpn = alpn.toList(),
    clientAuth = clientAuth,
    handshakeTimeout = handshakeTimeout.toKotlinDuration(),
    refusalTimeout = refusalTimeout.toKotlinDuration(),
    reloadInterval = reloadInterval.toKotlinDuration(),
    listener = listener,
)

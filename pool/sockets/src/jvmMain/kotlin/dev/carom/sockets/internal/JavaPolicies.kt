package dev.carom.sockets.internal

import dev.carom.sockets.SocketPolicy
import dev.carom.sockets.SocketPolicyBuilder
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.LinkOptionsBuilder
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

/** What the Java builder cannot say: Durations of Kotlin. */
internal object JavaPolicies {
    @JvmStatic
    fun fill(builder: SocketPolicyBuilder, policy: SocketPolicy) {
        builder
            .receiveLimit(policy.receiveLimit)
            .sendQueue(policy.sendQueue)
            .receiveQueue(policy.receiveQueue)
            .receiveQueueBytes(policy.receiveQueueBytes)
            .subscriberQueue(policy.subscriberQueue)
            .surveyAnswers(policy.surveyAnswers)
            .overflow(policy.overflow)
            .openRequests(policy.openRequests)
            .maxHops(policy.maxHops)
            .resend(policy.resend.orNull())
            .surveyDeadline(policy.surveyDeadline.toJavaDuration())
            .sendTimeout(policy.sendTimeout.orNull())
            .receiveTimeout(policy.receiveTimeout.orNull())
            .requestTimeout(policy.requestTimeout.orNull())
            .connectTimeout(policy.connectTimeout.toJavaDuration())
            .handshakeTimeout(policy.handshakeTimeout.toJavaDuration())
            .handshakes(policy.handshakes)
            .acceptedPipes(policy.acceptedPipes)
            .backoff(policy.backoff)
            .linger(policy.linger.toJavaDuration())
            .drainTimeout(policy.drainTimeout.toJavaDuration())
            .link(policy.link)
            .noticeBuffer(policy.noticeBuffer)
    }

    @JvmStatic
    fun build(builder: SocketPolicyBuilder): SocketPolicy = SocketPolicy(
        receiveLimit = builder.receiveLimit(),
        sendQueue = builder.sendQueue(),
        receiveQueue = builder.receiveQueue(),
        receiveQueueBytes = builder.receiveQueueBytes(),
        subscriberQueue = builder.subscriberQueue(),
        surveyAnswers = builder.surveyAnswers(),
        overflow = builder.overflow(),
        openRequests = builder.openRequests(),
        maxHops = builder.maxHops(),
        resend = builder.resend().orInfinite(),
        surveyDeadline = builder.surveyDeadline().toKotlinDuration(),
        sendTimeout = builder.sendTimeout().orInfinite(),
        receiveTimeout = builder.receiveTimeout().orInfinite(),
        requestTimeout = builder.requestTimeout().orInfinite(),
        connectTimeout = builder.connectTimeout().toKotlinDuration(),
        handshakeTimeout = builder.handshakeTimeout().toKotlinDuration(),
        handshakes = builder.handshakes(),
        acceptedPipes = builder.acceptedPipes(),
        backoff = builder.backoff(),
        linger = builder.linger().toKotlinDuration(),
        drainTimeout = builder.drainTimeout().toKotlinDuration(),
        link = builder.link(),
        noticeBuffer = builder.noticeBuffer(),
    )

    @JvmStatic
    fun fill(builder: LinkOptionsBuilder, options: LinkOptions) {
        builder
            .sendBuffer(options.sendBuffer)
            .noDelay(options.noDelay)
            .keepAlive(options.keepAlive)
            .systemSendBuffer(options.systemSendBuffer)
            .systemReceiveBuffer(options.systemReceiveBuffer)
            .backlog(options.backlog)
            .keepAliveIdle(options.keepAliveIdle.toJavaDuration())
            .keepAliveInterval(options.keepAliveInterval.toJavaDuration())
            .keepAliveCount(options.keepAliveCount)
    }

    @JvmStatic
    fun build(builder: LinkOptionsBuilder): LinkOptions = LinkOptions(
        sendBuffer = builder.sendBuffer(),
        noDelay = builder.noDelay(),
        keepAlive = builder.keepAlive(),
        systemSendBuffer = builder.systemSendBuffer(),
        systemReceiveBuffer = builder.systemReceiveBuffer(),
        backlog = builder.backlog(),
        keepAliveIdle = builder.keepAliveIdle().toKotlinDuration(),
        keepAliveInterval = builder.keepAliveInterval().toKotlinDuration(),
        keepAliveCount = builder.keepAliveCount(),
    )

    private fun Duration.orNull() = takeIf { it.isFinite() }?.toJavaDuration()

    private fun java.time.Duration?.orInfinite() = this?.toKotlinDuration() ?: Duration.INFINITE
}

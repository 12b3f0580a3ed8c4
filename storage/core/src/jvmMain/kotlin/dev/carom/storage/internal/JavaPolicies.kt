@file:JvmName("JavaPolicies")

package dev.carom.storage.internal

import dev.carom.storage.OpOptions
import dev.carom.storage.OpOptionsBuilder
import dev.carom.storage.RetryPolicy
import dev.carom.storage.RetryPolicyBuilder
import dev.carom.storage.StoragePolicy
import dev.carom.storage.StoragePolicyBuilder
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnPolicyBuilder
import dev.carom.storage.split.SplitPolicy
import dev.carom.storage.split.SplitPolicyBuilder
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

internal fun build(from: TxnPolicyBuilder): TxnPolicy = TxnPolicy(
    isolation = from.isolation(),
    readOnly = from.readOnly(),
    timeout = from.timeout().toKotlinDuration(),
    propagation = from.propagation(),
    lazy = from.lazy(),
    concurrentUse = from.concurrentUse(),
    joinFailure = from.joinFailure(),
    retry = from.retry(),
    strictHooks = from.strictHooks(),
    owned = from.owned(),
    label = from.label(),
    idleTimeout = from.idleTimeout().toKotlinDuration(),
    autoSavepoint = from.autoSavepoint(),
)

internal fun fill(to: TxnPolicyBuilder, from: TxnPolicy) {
    to.isolation(from.isolation)
    to.readOnly(from.readOnly)
    to.timeout(from.timeout.toJavaDuration())
    to.propagation(from.propagation)
    to.lazy(from.lazy)
    to.concurrentUse(from.concurrentUse)
    to.joinFailure(from.joinFailure)
    to.retry(from.retry)
    to.strictHooks(from.strictHooks)
    to.owned(from.owned)
    to.label(from.label)
    to.idleTimeout(from.idleTimeout.toJavaDuration())
    to.autoSavepoint(from.autoSavepoint)
}

internal fun build(from: RetryPolicyBuilder): RetryPolicy =
    RetryPolicy(from.attempts(), from.start().toKotlinDuration(), from.max().toKotlinDuration(), from.categories())

internal fun fill(to: RetryPolicyBuilder, from: RetryPolicy) {
    to.attempts(from.attempts)
    to.start(from.start.toJavaDuration())
    to.max(from.max.toJavaDuration())
    to.categories(from.categories)
}

internal fun build(from: OpOptionsBuilder): OpOptions = OpOptions(
    timeout = from.timeout().toKotlinDuration(),
    access = from.access(),
    fetchSize = from.fetchSize(),
    maxRows = from.maxRows(),
    generatedKeys = from.generatedKeys(),
    owned = from.owned(),
    label = from.label(),
)

internal fun fill(to: OpOptionsBuilder, from: OpOptions) {
    to.timeout(from.timeout.toJavaDuration())
    to.access(from.access)
    to.fetchSize(from.fetchSize)
    to.maxRows(from.maxRows)
    to.generatedKeys(from.generatedKeys)
    to.owned(from.owned)
    to.label(from.label)
}

internal fun build(from: StoragePolicyBuilder): StoragePolicy = StoragePolicy(
    acquireTimeout = from.acquireTimeout().toKotlinDuration(),
    maxWaiters = from.maxWaiters(),
    cancelGrace = from.cancelGrace().toKotlinDuration(),
    cancelRepeat = from.cancelRepeat().toKotlinDuration(),
    cancelRoute = from.cancelRoute(),
    beginTimeout = from.beginTimeout().toKotlinDuration(),
    commitTimeout = from.commitTimeout().toKotlinDuration(),
    rollbackTimeout = from.rollbackTimeout().toKotlinDuration(),
    resetTimeout = from.resetTimeout().toKotlinDuration(),
    hookTimeout = from.hookTimeout().toKotlinDuration(),
    resolveTimeout = from.resolveTimeout().toKotlinDuration(),
    opsDuringTxn = from.opsDuringTxn(),
    reset = from.reset(),
    leakAfter = from.leakAfter().toKotlinDuration(),
    traceLeases = from.traceLeases(),
    cancelMode = from.cancelMode(),
)

internal fun fill(to: StoragePolicyBuilder, from: StoragePolicy) {
    to.acquireTimeout(from.acquireTimeout.toJavaDuration())
    to.maxWaiters(from.maxWaiters)
    to.cancelGrace(from.cancelGrace.toJavaDuration())
    to.cancelRepeat(from.cancelRepeat.toJavaDuration())
    to.cancelRoute(from.cancelRoute)
    to.beginTimeout(from.beginTimeout.toJavaDuration())
    to.commitTimeout(from.commitTimeout.toJavaDuration())
    to.rollbackTimeout(from.rollbackTimeout.toJavaDuration())
    to.resetTimeout(from.resetTimeout.toJavaDuration())
    to.hookTimeout(from.hookTimeout.toJavaDuration())
    to.resolveTimeout(from.resolveTimeout.toJavaDuration())
    to.opsDuringTxn(from.opsDuringTxn)
    to.reset(from.reset)
    to.leakAfter(from.leakAfter.toJavaDuration())
    to.traceLeases(from.traceLeases)
    to.cancelMode(from.cancelMode)
}

internal fun build(from: SplitPolicyBuilder): SplitPolicy = SplitPolicy(
    allowPrimaryReads = from.allowPrimaryReads(),
    lagMemory = from.lagMemory().toKotlinDuration(),
    askAgain = from.askAgain().toKotlinDuration(),
    checkTimeout = from.checkTimeout().toKotlinDuration(),
)

internal fun fill(to: SplitPolicyBuilder, from: SplitPolicy) {
    to.allowPrimaryReads(from.allowPrimaryReads)
    to.lagMemory(from.lagMemory.toJavaDuration())
    to.askAgain(from.askAgain.toJavaDuration())
    to.checkTimeout(from.checkTimeout.toJavaDuration())
}

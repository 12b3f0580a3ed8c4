@file:JvmName("JavaPolicies")

package dev.carom.storage.jdbc.internal

import dev.carom.storage.jdbc.JdbcPolicy
import dev.carom.storage.jdbc.JdbcPolicyBuilder
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

internal fun build(from: JdbcPolicyBuilder): JdbcPolicy =
    JdbcPolicy(
        from.role(),
        from.checkInterval().toKotlinDuration(),
        from.linger().toKotlinDuration(),
        from.validateAfter().toKotlinDuration(),
    )

internal fun fill(to: JdbcPolicyBuilder, from: JdbcPolicy) {
    to.role(from.role)
    to.checkInterval(from.checkInterval.toJavaDuration())
    to.linger(from.linger.toJavaDuration())
    to.validateAfter(from.validateAfter.toJavaDuration())
}

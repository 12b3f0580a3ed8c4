package dev.carom.pool.internal

import dev.carom.pool.Connector

/** Which optional calls a connector has; those it has not are never made, nor waited for. */
internal class Hooks(
    val acquire: Boolean = false,
    val recycle: Boolean = false,
    val valid: Boolean = false,
    val role: Boolean = false,
)

/** Knows which it has without being looked at. */
internal interface HookedConnector<C : Any> : Connector<C> {
    val hooks: Hooks
}

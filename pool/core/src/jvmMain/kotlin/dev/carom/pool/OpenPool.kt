package dev.carom.pool

import kotlinx.coroutines.CoroutineScope

/**
 * Opens a pool in this scope. Returns at once: connecting happens in coroutines of the scope.
 *
 * The pool is a child of the scope: the scope does not complete while the pool is open, and cancelling the scope closes
 * every connection.
 *
 * @param name for messages and notices.
 * @param resolver which backends there are.
 * @param connector how to open, check and close connections.
 * @param policy the numbers.
 */
public fun <C : Any> CoroutineScope.openPool(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    policy: PoolPolicy = PoolPolicy(),
): Pool<C> = TODO("$name $resolver $connector $policy")

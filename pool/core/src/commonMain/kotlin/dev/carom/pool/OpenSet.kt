@file:JvmName("ConnectionSets")

package dev.carom.pool

import dev.carom.pool.internal.set.Preference
import dev.carom.pool.internal.set.SetShell
import kotlinx.coroutines.CoroutineScope
import kotlin.jvm.JvmName
import kotlin.random.Random
import kotlin.time.TimeSource

/**
 * Opens a connection set in this scope. Returns at once: connecting happens in coroutines of the scope.
 *
 * The set is a child of the scope: the scope does not complete while the set is open, and cancelling the scope closes
 * every connection.
 *
 * @param name for messages and notices. Not empty.
 * @param resolver which backends there are.
 * @param connector how to open, check and close connections.
 * @param policy the numbers.
 */
public fun <C : Any> CoroutineScope.openConnectionSet(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    policy: SetPolicy = SetPolicy(),
): ConnectionSet<C> = openConnectionSet(name, resolver, connector, policy, TimeSource.Monotonic, Random.Default)

/**
 * [openConnectionSet] with a clock and dice of one's own, for tests in virtual time and for runs that can be repeated.
 *
 * @param timeSource must advance together with `delay` in this scope: in `runTest`, `testScheduler.timeSource`.
 * @param random for jitter and for the order of preference.
 */
public fun <C : Any> CoroutineScope.openConnectionSet(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    policy: SetPolicy,
    timeSource: TimeSource,
    random: Random,
): ConnectionSet<C> = SetShell.open(this, name, resolver, connector, policy, Preference.Spread, timeSource, random)

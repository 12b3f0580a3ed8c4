@file:JvmName("ConnectionSets")

package dev.carom.pool

import dev.carom.pool.internal.set.PersistentShell
import dev.carom.pool.internal.set.Preference
import dev.carom.pool.internal.set.SetShell
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
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

/**
 * Opens a persistent connection in this scope. Returns at once: connecting happens in coroutines of the scope.
 *
 * It is a child of the scope: the scope does not complete while it is open, and cancelling the scope closes it.
 *
 * @param name for messages and notices. Not empty.
 * @param resolver which backends there are.
 * @param connector how to open, check and close connections.
 * @param writer how to write a message.
 * @param policy the numbers.
 */
public fun <C : Any, M : Any> CoroutineScope.openPersistent(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    writer: MessageWriter<C, M>,
    policy: PersistentPolicy = PersistentPolicy(),
): PersistentConnection<C, M> =
    openPersistent(name, resolver, connector, writer, policy, TimeSource.Monotonic, Random.Default)

/**
 * [openPersistent] with a clock and dice of one's own, for tests in virtual time and for runs that can be repeated.
 *
 * @param timeSource must advance together with `delay` in this scope: in `runTest`, `testScheduler.timeSource`.
 * @param random for jitter and for the order of equals.
 */
public fun <C : Any, M : Any> CoroutineScope.openPersistent(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    writer: MessageWriter<C, M>,
    policy: PersistentPolicy,
    timeSource: TimeSource,
    random: Random,
): PersistentConnection<C, M> {
    require(name.isNotEmpty()) { "a persistent connection's name must not be empty" }
    val job = SupervisorJob(coroutineContext[Job])
    val scope = CoroutineScope(coroutineContext + job + CoroutineName("persistent $name"))
    val start = timeSource.markNow()
    val set = SetShell.open(scope, name, resolver, connector, policy.connection, Preference.Best, timeSource, random)
    return PersistentShell(name, policy, writer, set, scope, job, start).also { it.run() }
}

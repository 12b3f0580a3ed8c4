package dev.carom.pool

import dev.carom.pool.internal.HookedConnector
import dev.carom.pool.internal.Hooks
import dev.carom.pool.internal.PoolShell
import kotlinx.coroutines.CoroutineScope
import kotlin.coroutines.Continuation
import kotlin.random.Random
import kotlin.time.TimeSource

/**
 * Opens a pool in this scope. Returns at once: connecting happens in coroutines of the scope.
 *
 * The pool is a child of the scope: the scope does not complete while the pool is open, and cancelling the scope closes
 * every connection.
 *
 * @param name for messages and notices. Not empty.
 * @param resolver which backends there are.
 * @param connector how to open, check and close connections.
 * @param policy the numbers.
 */
public fun <C : Any> CoroutineScope.openPool(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    policy: PoolPolicy = PoolPolicy(),
): Pool<C> = openPool(name, resolver, connector, policy, TimeSource.Monotonic, Random.Default)

/**
 * [openPool] with a clock and dice of one's own, for tests in virtual time and for runs that can be repeated.
 *
 * @param timeSource must advance together with `delay` in this scope: in `runTest`, `testScheduler.timeSource`.
 * @param random for jitter and for the order of equals.
 */
public fun <C : Any> CoroutineScope.openPool(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    policy: PoolPolicy,
    timeSource: TimeSource,
    random: Random,
): Pool<C> = PoolShell.open(this, name, resolver, connector, policy, hooksOf(connector), timeSource, random)

/**
 * [openPool] with a [recording] of all that the pool decides by, for [replayPool].
 *
 * @param recording gets one line for the pool and one for each event.
 * @param random whence the seed is drawn that the pool's dice have, and the recording says.
 */
public fun <C : Any> CoroutineScope.openPool(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    policy: PoolPolicy = PoolPolicy(),
    recording: PoolRecording,
    timeSource: TimeSource = TimeSource.Monotonic,
    random: Random = Random.Default,
): Pool<C> = PoolShell.open(this, name, resolver, connector, policy, hooksOf(connector), timeSource, random, recording)

/**
 * A hook that is not overridden does nothing, and need not be waited for: then a claim is ready as it is, and a return
 * puts the connection straight back. Delegation (`by`) counts as overriding: correct, only slower.
 */
private fun hooksOf(connector: Connector<*>) = (connector as? HookedConnector<*>)?.hooks ?: Hooks(
    acquire = connector.overrides("onAcquire"),
    recycle = connector.overrides("onRecycle"),
    valid = connector.overrides("isValid"),
    role = connector.overrides("probeRole"),
)

private fun Connector<*>.overrides(hook: String): Boolean = overrides(javaClass, hook)

private fun overrides(type: Class<*>?, hook: String): Boolean = when (type) {
    null, Connector::class.java -> false
    else -> type.declares(hook) || overrides(type.superclass, hook) || type.interfaces.any { overrides(it, hook) }
}

/**
 * Kotlin's compiler, unless told otherwise, gives a class a method for each default method of its interfaces that only calls
 * it. Such a method is not in the class's metadata, which lists what was written.
 */
private fun Class<*>.declares(hook: String): Boolean {
    val written = getAnnotation(Metadata::class.java)?.data2
    return (written == null || hook in written) &&
        declaredMethods.any { it.name == hook && it.parameterTypes.lastOrNull() == Continuation::class.java }
}

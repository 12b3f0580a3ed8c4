package dev.carom.pool.testkit

import dev.carom.pool.Connector
import dev.carom.pool.Pool
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.pool.openPool
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.random.Random

/**
 * Opens a pool in `runTest`'s virtual time, with dice that fall the same way every time. The test does not end before
 * the pool is closed.
 *
 * @param seed of the dice: jitter, and the order of equals.
 */
@OptIn(ExperimentalCoroutinesApi::class)
public fun <C : Any> TestScope.openVirtualPool(
    name: String,
    resolver: Resolver,
    connector: Connector<C>,
    policy: PoolPolicy = PoolPolicy(),
    seed: Int = 1,
): Pool<C> = openPool(name, resolver, connector, policy, testScheduler.timeSource, Random(seed))

/** Lets everything happen that is due now. Time stands still. */
@OptIn(ExperimentalCoroutinesApi::class)
public fun TestScope.settle(): Unit = testScheduler.runCurrent()

/** Lets [millis] milliseconds of virtual time pass, and everything happen that is due by then, the last instant included. */
@OptIn(ExperimentalCoroutinesApi::class)
public fun TestScope.pass(millis: Long) {
    testScheduler.advanceTimeBy(millis)
    testScheduler.runCurrent()
}

/**
 * Lets virtual time pass, from one event to the next and no further, until [condition] holds of a value of [flow], and
 * returns that value. A value that comes and goes in one instant may be missed, as by every collector of a StateFlow.
 *
 * @param limitMillis virtual milliseconds after which there is no more hope.
 * @throws AssertionError then, with the value that [flow] has.
 */
public suspend fun <T> TestScope.passUntil(
    flow: StateFlow<T>,
    limitMillis: Long = 60_000,
    condition: (T) -> Boolean,
): T {
    // the test's own dispatcher makes the limit virtual, whatever dispatcher the caller is on
    val found = withContext(coroutineContext.minusKey(Job)) {
        withTimeoutOrNull(limitMillis) { Found(flow.first(condition)) }
    }
    return (found ?: throw AssertionError("not within $limitMillis ms of virtual time: ${flow.value}")).value
}

private class Found<T>(val value: T)

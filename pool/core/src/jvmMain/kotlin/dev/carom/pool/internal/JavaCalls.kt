@file:JvmName("JavaCalls")

package dev.carom.pool.internal

import dev.carom.pool.Claim
import dev.carom.pool.ClaimOptions
import dev.carom.pool.NestedClaims
import dev.carom.pool.Pool
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.runBlocking
import java.time.Duration
import kotlin.time.toKotlinDuration

/** Blocks this thread until [block] returns. An interrupt cancels [block] and is thrown when [block] has ended. */
@Throws(InterruptedException::class)
internal fun <T> call(block: suspend () -> T): T = runBlocking { block() }

/**
 * Claims for this thread. A connection that is ready is lent without entering a coroutine: `runBlocking` alone costs twenty
 * times the claim. One that was granted although an interrupt came first goes back.
 */
@Throws(InterruptedException::class)
internal fun <C : Any> claimFor(pool: Pool<C>, holder: String?, options: ClaimOptions?): Claim<C> {
    if (Thread.interrupted()) throw InterruptedException()
    val caller = CallerThread(Thread.currentThread())
    ready(pool, caller, holder, options)?.let { return it }
    var granted: Claim<C>? = null
    try {
        return runBlocking(caller) {
            val claim = if (options == null) pool.claim(holder ?: caller.name) else pool.claim(named(options))
            claim.also { granted = it }
        }
    } catch (failure: Throwable) {
        // A cancelled coroutine that ends well all the same has its result dropped by runBlocking.
        granted?.close()
        throw failure
    }
}

private fun <C : Any> ready(pool: Pool<C>, caller: Caller, holder: String?, options: ClaimOptions?): Claim<C>? {
    if (pool is PoolShell) return pool.tryClaim(caller, options?.holder ?: holder, options)
    // A pool of the user's: what looks at every claim must not be passed by.
    val examined = pool.policy.lease.sites > 0 || pool.policy.lease.nested == NestedClaims.Error
    return if (options != null || examined) null else pool.tryClaim(holder ?: caller.name)
}

private class CallerThread(override val identity: Thread) : Caller() {
    /** As it is now: it may be renamed. */
    override val name: String = nameOf(identity)
}

/** Opens with [open] in a scope of its own, which ends when what was opened in it has ended. */
internal fun <T> inOwnScope(open: (CoroutineScope) -> T): T {
    val owner = SupervisorJob()
    return open(CoroutineScope(Dispatchers.Default + owner)).also { owner.complete() }
}

/** [holder], else this thread's name; virtual threads often have none. */
internal fun holderOrThread(holder: String?): String =
    holder ?: nameOf(Thread.currentThread())

private fun nameOf(thread: Thread): String = thread.name.ifEmpty { "thread ${thread.id}" }

/** [options] with this thread's name, if they name nobody. */
internal fun named(options: ClaimOptions): ClaimOptions = if (options.holder != null) {
    options
} else {
    ClaimOptions(
        holderOrThread(null),
        options.tags,
        options.timeout,
        options.reserved,
        options.role,
        options.accepts,
        options.allowNested,
    )
}

/** Whole milliseconds, as many as a Long holds. */
internal fun graceMillis(grace: Duration): Long {
    require(!grace.isNegative) { "grace must not be negative, was $grace" }
    return grace.toKotlinDuration().inWholeMilliseconds
}

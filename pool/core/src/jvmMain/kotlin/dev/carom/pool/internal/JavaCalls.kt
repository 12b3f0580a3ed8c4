@file:JvmName("JavaCalls")

package dev.carom.pool.internal

import dev.carom.pool.Claim
import dev.carom.pool.ClaimOptions
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.runBlocking
import java.time.Duration
import kotlin.time.toKotlinDuration

/** Blocks this thread until [block] returns. An interrupt cancels [block] and is thrown when [block] has ended. */
@Throws(InterruptedException::class)
internal fun <T> call(block: suspend () -> T): T = runBlocking { block() }

/** [call] for a claim: one that was granted although the interrupt came first goes back. */
@Throws(InterruptedException::class)
internal fun <C : Any> lease(block: suspend () -> Claim<C>): Claim<C> {
    var granted: Claim<C>? = null
    try {
        return runBlocking(Caller(Thread.currentThread())) { block().also { granted = it } }
    } catch (failure: Throwable) {
        // A cancelled coroutine that ends well all the same has its result dropped by runBlocking.
        granted?.close()
        throw failure
    }
}

/** Opens with [open] in a scope of its own, which ends when what was opened in it has ended. */
internal fun <T> inOwnScope(open: (CoroutineScope) -> T): T {
    val owner = SupervisorJob()
    return open(CoroutineScope(Dispatchers.Default + owner)).also { owner.complete() }
}

/** [holder], else this thread's name; virtual threads often have none. */
internal fun holderOrThread(holder: String?): String =
    holder ?: Thread.currentThread().run { name.ifEmpty { "thread $id" } }

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

package dev.carom.storage.tck

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.job
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

internal fun check(what: String, holds: Boolean) {
    if (!holds) throw AssertionError("does not hold: $what")
}

internal fun checkEquals(what: String, expected: Any?, actual: Any?) {
    if (expected != actual) throw AssertionError("$what: expected $expected, was $actual")
}

/** What becomes so by itself, and soon: a session on its way back. */
internal suspend fun settle(what: String, holds: () -> Boolean) {
    val start = TimeSource.Monotonic.markNow()
    while (!holds()) {
        if (start.elapsedNow() > 20.seconds) throw AssertionError("did not come to hold within 20 s: $what")
        delay(1)
    }
}

/** The failure of [block], which must be a [T]. */
internal suspend inline fun <reified T : Throwable> failure(what: String, block: () -> Unit): T {
    try {
        block()
    } catch (e: CancellationException) {
        currentCoroutineContext().ensureActive()
        if (e is T) return e
        throw AssertionError("$what: expected ${T::class.simpleName}, was $e", e)
    } catch (e: Throwable) {
        if (e is T) return e
        throw AssertionError("$what: expected ${T::class.simpleName}, was $e", e)
    }
    throw AssertionError("$what: expected ${T::class.simpleName}, nothing was thrown")
}

/** A cancelled coroutine has ended as one, and not with a failure of the platform. */
internal suspend fun Job.cancelAndCheck(what: String) {
    cancel()
    join()
    check("$what ends as cancelled", isCancelled)
    currentCoroutineContext().job.ensureActive()
}

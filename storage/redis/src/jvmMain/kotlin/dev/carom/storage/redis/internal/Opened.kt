package dev.carom.storage.redis.internal

import io.lettuce.core.api.StatefulRedisConnection
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import kotlin.coroutines.resumeWithException

/** The connection that is being opened. A caller that is cancelled leaves at once; one that comes too late is closed. */
internal suspend fun <C : StatefulRedisConnection<*, *>> CompletionStage<C>.awaitOpened(): C =
    suspendCancellableCoroutine { waiting ->
        whenComplete { opened, failure ->
            if (failure == null) {
                waiting.resume(opened) { _, late, _ -> late.closeAsync() }
            } else if (waiting.isActive) {
                waiting.resumeWithException((failure as? CompletionException)?.cause ?: failure)
            }
        }
    }

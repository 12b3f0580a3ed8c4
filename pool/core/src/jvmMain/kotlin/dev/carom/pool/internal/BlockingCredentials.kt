@file:JvmName("BlockingCredentials")

package dev.carom.pool.internal

import dev.carom.pool.BlockingCredentialsProvider
import dev.carom.pool.CredentialsProvider
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import java.util.Objects

private const val THREADS = 16

/** A view of its own: a vault that hangs takes no thread away from other users of [Dispatchers.IO]. */
internal fun provider(blocking: BlockingCredentialsProvider): CredentialsProvider {
    val dispatcher = Dispatchers.IO.limitedParallelism(THREADS, "carom-credentials")
    return CredentialsProvider { backend ->
        runInterruptible(dispatcher) {
            Objects.requireNonNull(blocking.credentials(backend), "credentials returned null")
        }
    }
}

package dev.carom.storage.internal

import dev.carom.storage.pooled.BlockingIdleCheck
import dev.carom.storage.pooled.IdleCheck
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

internal class BlockingIdleCheckAdapter<S : Any>(private val blocking: BlockingIdleCheck<S>) : IdleCheck<S> {
    override fun isDue(session: S): Boolean = blocking.isDue(session)

    override suspend fun isAlive(session: S): Boolean =
        withContext(NonCancellable) { withContext(Dispatchers.IO) { blocking.isAlive(session) } }
}

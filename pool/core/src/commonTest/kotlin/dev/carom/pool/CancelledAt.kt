package dev.carom.pool

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Delay
import kotlinx.coroutines.InternalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.Runnable
import kotlin.coroutines.CoroutineContext

/** Cancels the coroutine just as it is about to go on for the [at]th time. */
@OptIn(InternalCoroutinesApi::class)
class CancelledAt(private val delegate: CoroutineDispatcher, private val at: Int) :
    CoroutineDispatcher(),
    Delay by (delegate as Delay) {
    var dispatches = 0
        private set

    override fun dispatch(context: CoroutineContext, block: Runnable) {
        if (++dispatches == at) context[Job]!!.cancel()
        delegate.dispatch(context, block)
    }
}

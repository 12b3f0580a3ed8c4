package dev.carom.storage.internal

import dev.carom.storage.CallerContext
import java.util.ServiceLoader
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

/** What this thread carries, for a call of a facade. */
internal object CallerContexts {
    private val known = ServiceLoader.load(CallerContext::class.java, CallerContext::class.java.classLoader).toList()

    fun captured(): CoroutineContext =
        if (known.isEmpty()) EmptyCoroutineContext else known.fold(EmptyCoroutineContext, ::plus)

    private fun plus(all: CoroutineContext, one: CallerContext): CoroutineContext = all + one.capture()
}

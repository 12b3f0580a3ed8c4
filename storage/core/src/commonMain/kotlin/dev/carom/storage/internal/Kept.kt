package dev.carom.storage.internal

/** A result that crosses withContext as a value: a thrown exception might arrive as a copy of itself. */
internal class Kept<R>(private val value: R?, private val failure: Throwable?) {
    fun get(): R {
        if (failure != null) throw failure
        @Suppress("UNCHECKED_CAST")
        return value as R
    }
}

internal inline fun <R> keepingFailure(block: () -> R): Kept<R> = try {
    Kept(block(), null)
} catch (e: Throwable) {
    Kept(null, e)
}

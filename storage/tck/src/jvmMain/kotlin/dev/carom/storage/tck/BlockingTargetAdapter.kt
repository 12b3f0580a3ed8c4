package dev.carom.storage.tck

import dev.carom.storage.BlockingSessions
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.runInterruptible

internal class BlockingTargetAdapter<S : Any>(private val target: BlockingTckTarget<S>) : TckTarget<S> {
    override val name: String get() = target.name()
    override val driver: StorageDriver<S> = target.driver()
    override val stopsRunning: Boolean get() = target.stopsRunning()

    override fun source(capacity: Int): SessionSource<S> = target.source(capacity)

    override suspend fun clear(on: Sessions<S>) = blocking(on) { target.clear(it) }

    override suspend fun write(on: Sessions<S>, key: String, value: String) = blocking(on) {
        target.write(it, key, value)
    }

    override suspend fun read(on: Sessions<S>, key: String): String? = blocking(on) { target.read(it, key) }

    override suspend fun fail(on: Sessions<S>) = blocking(on) { target.fail(it) }

    override suspend fun slow(on: Sessions<S>, millis: Long) = blocking(on) { target.slow(it, millis) }

    override val remembers: Boolean get() = target.remembers()

    override val forgets: Boolean get() = target.forgets()

    override suspend fun remember(on: Sessions<S>, value: String) = blocking(on) { target.remember(it, value) }

    override suspend fun remembered(on: Sessions<S>): String? = blocking(on) { target.remembered(it) }

    override suspend fun readMany(on: Sessions<S>, count: Int, each: suspend (Int) -> Unit) =
        blocking(on) { sessions -> target.readMany(sessions, count) { n -> runBlocking { each(n) } } }

    private suspend fun <T> blocking(on: Sessions<S>, block: (BlockingSessions<S>) -> T): T = try {
        runInterruptible(Dispatchers.IO) { block(Blocked(on)) }
    } catch (e: StorageException.Interrupted) {
        // By the cancellation of this coroutine, which is what it is to the suite.
        currentCoroutineContext().ensureActive()
        throw e
    }

    private class Blocked<S : Any>(private val on: Sessions<S>) : BlockingSessions<S> {
        override fun sessions(): Sessions<S> = on
    }
}

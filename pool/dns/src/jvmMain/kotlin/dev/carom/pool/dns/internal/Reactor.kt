package dev.carom.pool.dns.internal

import java.io.IOException
import java.nio.channels.CancelledKeyException
import java.nio.channels.SelectableChannel
import java.nio.channels.SelectionKey
import java.nio.channels.Selector

/** One question and its answer over one channel of its own. Everything but [abandon] runs on the reactor's thread. */
internal interface Conversation {
    /** In non-blocking mode. */
    val channel: SelectableChannel

    /** What to wait for first, as in [SelectionKey.interestOps]. */
    val interest: Int

    /** Goes on as far as it can without waiting; closes [channel] when it is done. */
    fun advance(key: SelectionKey)

    /** It cannot go on. */
    fun abandon(cause: Exception)
}

/**
 * The one thread that waits for the packets of all conversations in the process. It begins with the first and ends with
 * the last: nobody's questions, no thread.
 */
internal object Reactor {
    private val lock = Any()
    private val arriving = ArrayDeque<Conversation>()
    private var selector: Selector? = null

    /** @throws IOException if there is no descriptor left for a selector. */
    fun join(conversation: Conversation): Unit = synchronized(lock) {
        val running = selector
        if (running != null) {
            arriving += conversation
            running.wakeup()
        } else {
            val opened = Selector.open()
            selector = opened
            arriving += conversation
            Thread({ run(opened) }, "carom-dns").also { it.isDaemon = true }.start()
        }
    }

    /** A channel was closed from elsewhere: its descriptor is let go of in the next selection. */
    fun left(): Unit = synchronized(lock) { selector?.wakeup() }

    private fun run(selector: Selector) = selector.use {
        do {
            synchronized(lock) { while (arriving.isNotEmpty()) register(arriving.removeFirst(), it) }
            // A channel closed before it came here has no key to wake us, and [left] found nobody to wake.
            if (hasKeys(it)) it.select() else it.selectNow()
            val ready = it.selectedKeys().toList()
            it.selectedKeys().clear()
            ready.forEach(::advance)
        } while (!isOver(it))
    }

    /** Decided under the lock: a conversation that arrives later finds no selector and starts a thread of its own. */
    private fun isOver(running: Selector): Boolean = synchronized(lock) {
        val over = arriving.isEmpty() && !hasKeys(running)
        if (over) selector = null
        over
    }

    private fun hasKeys(running: Selector): Boolean = running.keys().any { it.isValid }

    private fun register(conversation: Conversation, selector: Selector) {
        try {
            conversation.channel.register(selector, conversation.interest, conversation)
        } catch (e: IOException) {
            conversation.abandon(e)
        }
    }

    private fun advance(key: SelectionKey) {
        val conversation = key.attachment() as Conversation
        try {
            if (key.isValid) conversation.advance(key)
        } catch (_: CancelledKeyException) {
            // the one who asked has gone
        } catch (e: Exception) {
            // whatever goes wrong with one conversation, the thread must go on for the others; nothing suspends here
            conversation.abandon(e)
        }
    }
}

package dev.carom.sockets

import kotlinx.coroutines.runBlocking

/** A process that sends and exits: the URL, and how many messages. */
internal object OneShot {
    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        val (url, count) = arguments
        val push = openPushSocket("one shot")
        push.connect(url)
        repeat(count.toInt()) { push.send(bytes("message $it")) }
        push.close(30_000)
        Unit
    }
}

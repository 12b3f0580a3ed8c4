package dev.carom.sockets

import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** A process that sends and exits: how many messages, and the URLs, to each of which it sends them all. */
internal object OneShot {
    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        val count = arguments.first().toInt()
        for (url in arguments.drop(1)) {
            launch {
                val push = openPushSocket("one shot")
                push.connect(url)
                repeat(count) { push.send(bytes("message $it")) }
                push.close(60_000)
            }
        }
    }
}

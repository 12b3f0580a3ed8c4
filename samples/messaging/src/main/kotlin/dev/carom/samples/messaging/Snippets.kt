package dev.carom.samples.messaging

import dev.carom.pool.Resolver
import dev.carom.sockets.SocketEndpoint
import dev.carom.sockets.openRepSocket
import dev.carom.sockets.openReqSocket
import dev.carom.sockets.serve
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

/** What the README shows, compiled. */
object Snippets {
    // snippet: kotlin-sockets
    suspend fun CoroutineScope.answerAt(url: String): SocketEndpoint { // tcp://, tls+tcp://, ipc:// or inproc://
        val prices = openRepSocket("prices")
        launch { prices.serve { item -> "${item.decodeToString()}: 3.50".encodeToByteArray() } }
        return prices.bind(url)
    }

    suspend fun ask(service: Resolver, item: String): String = coroutineScope {
        val prices = openReqSocket("prices")
        prices.connect(service) // follows DNS, gossip, whatever resolves; or connect("tcp://10.0.0.7:5555")
        val answer = prices.request(item.encodeToByteArray()) // asked again elsewhere if its backend dies
        prices.close() // within SocketPolicy.linger, and says what could not be delivered
        answer.decodeToString()
    }
    // end
}

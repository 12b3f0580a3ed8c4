@file:JvmName("Cancelling")

package dev.carom.pool.facade

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** Connects, cancels that at once, waits for the end of both; whether a connection was returned. */
fun connectsAlthoughCancelled(connector: Connector<*>, backend: Backend): Boolean = runBlocking {
    var connected = false
    val connecting = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) {
        connector.connect(backend)
        connected = true
    }
    connecting.cancelAndJoin()
    connected
}

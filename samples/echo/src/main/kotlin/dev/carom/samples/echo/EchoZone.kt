package dev.carom.samples.echo

import dev.carom.pool.testkit.DnsBehaviour
import dev.carom.pool.testkit.DnsTestServer
import dev.carom.pool.testkit.DnsZone
import java.net.InetSocketAddress

/** The shop's DNS: a real server that lists echo backends under `_echo._tcp.shop.test` with a TTL of one second. */
class EchoZone : AutoCloseable {
    private val server = DnsTestServer()

    /** How questions are treated from now on. */
    var behaviour: DnsBehaviour by server::behaviour

    /** The name server's address. */
    val address: InetSocketAddress get() = server.address

    /** Lists these backends, and no others, from now on. */
    fun list(vararg backends: EchoBackend) {
        server.zone = backends.fold(DnsZone().ttl(TTL_SECONDS).negativeTtl(TTL_SECONDS)) { zone, backend ->
            zone.instance("$SERVICE.$NAME", "${backend.name}.$NAME", "127.0.0.1", backend.port)
        }
    }

    override fun close() {
        server.close()
    }

    companion object {
        const val NAME = "shop.test"
        const val SERVICE = "_echo._tcp"
        const val TTL_SECONDS = 1L
    }
}

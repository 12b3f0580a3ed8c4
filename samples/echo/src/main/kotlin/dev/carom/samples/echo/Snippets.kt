package dev.carom.samples.echo

import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.dns.DnsConfig
import dev.carom.pool.dns.DnsResolver
import dev.carom.pool.dns.DnsjavaLookup
import dev.carom.pool.net.TcpConnection
import dev.carom.pool.net.TcpConnector
import dev.carom.pool.openPool
import dev.carom.pool.use
import io.ktor.utils.io.readLine
import io.ktor.utils.io.writeStringUtf8
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

/** What the README shows, compiled. */
class Snippets(private val dnsConfig: DnsConfig) {
    // snippet: kotlin-start
    suspend fun echo(line: String): String? = coroutineScope {
        val resolver = DnsResolver(DnsjavaLookup(dnsConfig), "shop.test", "_echo._tcp")
        val pool = openPool("echo", resolver, TcpConnector())
        val answer = pool.use { connection ->
            connection.output.writeStringUtf8("$line\n")
            connection.output.flush()
            connection.input.readLine()
        }
        pool.close()
        answer
    }
    // end

    // snippet: kotlin-claim
    suspend fun send(pool: Pool<TcpConnection>, line: String) {
        try {
            pool.claim("checkout").use { claim ->
                claim.connection.output.writeStringUtf8("$line\n")
                claim.connection.output.flush()
            }
        } catch (e: PoolException.AllClaimed) {
            println("${e.waiting} callers wait; the connections are with ${e.holders.joinToString()}")
        }
    }
    // end

    // snippet: kotlin-notices
    fun CoroutineScope.log(pool: Pool<*>): Job = launch {
        pool.notices.collect { notice ->
            println("${pool.name}: $notice")
        }
    }
    // end
}

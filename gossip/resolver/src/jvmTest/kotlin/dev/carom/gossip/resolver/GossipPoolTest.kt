package dev.carom.gossip.resolver

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipKey
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.KeyRing
import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.gossip.PeriodicPolicy
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.NetPolicy
import dev.carom.gossip.net.openNetGossip
import dev.carom.pool.Backend
import dev.carom.pool.ClaimOptions
import dev.carom.pool.Pool
import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.pool.fixedResolver
import dev.carom.pool.net.TcpConnection
import dev.carom.pool.net.TcpConnector
import dev.carom.pool.openPool
import dev.carom.pool.use
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.utils.io.readLine
import io.ktor.utils.io.writeStringUtf8
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

// Who is late by a probe's timeout begins its round anew, and slower: a busy machine would find the dead late.
private val quick = GossipPolicy(
    SwimPolicy(
        probePeriod = 500.milliseconds,
        probeTimeout = 300.milliseconds,
        suspicionMultiplier = 3,
        gossip = PeriodicPolicy(50.milliseconds, 3),
        seedInterval = 200.milliseconds,
        syncInterval = 500.milliseconds,
    ),
    leaveTimeout = 60.seconds,
)

private fun secure() = GossipSecurity.encrypted(KeyRing(GossipKey(ByteArray(32) { 1 })), "pool")

/** Says its name to every line. */
private class Server(val name: String) : AutoCloseable {
    private val listener = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    val port = listener.localPort

    init {
        thread(isDaemon = true) {
            try {
                while (true) listener.accept().let { socket -> thread(isDaemon = true) { serve(socket) } }
            } catch (_: IOException) {
                // closed
            }
        }
    }

    private fun serve(socket: java.net.Socket) = try {
        socket.use {
            val lines = it.getInputStream().bufferedReader()
            while (lines.readLine() != null) it.getOutputStream().write("$name\n".toByteArray())
        }
    } catch (_: IOException) {
        // the client is gone
    }

    override fun close() = listener.close()
}

private suspend fun Pool<TcpConnection>.ask(): String? = use { connection ->
    connection.output.writeStringUtf8("who\n")
    connection.output.flush()
    connection.input.readLine()
}

/** Which servers are asked now: those the pool has online. */
private suspend fun Pool<TcpConnection>.uses(vararg servers: Server) {
    val ports = servers.map { it.port }.toSet()
    withTimeout(5.minutes) {
        snapshot.first { now ->
            now.backends.filter { it.online && !it.removed }.map { it.backend.port }.toSet() == ports
        }
    }
}

private suspend fun onNetwork(block: suspend CoroutineScope.() -> Unit) {
    withContext(Dispatchers.Default) { coroutineScope { block() } }
}

private fun Gossip<NodeId>.seed() = identity.at.toString()

class GossipPoolTest :
    FunSpec({
        test("a pool follows the members of a real cluster: they come, drain, and die") {
            onNetwork {
                val servers = List(3) { Server("server$it") }
                val user = openNetGossip(NetPolicy.loopback(), secure(), quick)
                val members = servers.map { openNetGossip(NetPolicy.loopback(user.seed()), secure(), quick) }
                val offerings = members.map { Offering(it) }
                val pool =
                    openPool("servers", user.resolver("echo"), TcpConnector(), PoolPolicy(spares = 3, maxSlots = 6))
                offerings[0].offer(listOf(Offer("echo", servers[0].port), Offer("admin", 1)))
                pool.uses(servers[0])
                pool.ask() shouldBe "server0"
                for (i in 1..2) offerings[i].offer(listOf(Offer("echo", servers[i].port)))
                pool.uses(*servers.toTypedArray())

                // A claim made before is finished in peace; the member leaves when it is.
                val held = pool.claim(ClaimOptions(accepts = { it.port == servers[1].port }))
                val idle = CompletableDeferred<Unit>()
                val patient = DrainPolicy(notice = 200.milliseconds, grace = 5.minutes)
                val left = async { offerings[1].leave(patient) { idle.await() } }
                pool.uses(servers[0], servers[2])
                members[1].isOpen shouldBe true
                held.connection.output.writeStringUtf8("who\n")
                held.connection.output.flush()
                held.connection.input.readLine() shouldBe "server1"
                held.close()
                idle.complete(Unit)
                left.await() shouldBe true

                members[2].close()
                pool.uses(servers[0])
                pool.ask() shouldBe "server0"

                pool.close()
                members[0].leave()
                user.leave()
                servers.forEach { it.close() }
            }
        }

        test("a cluster is found through a pool's resolver, also when every address has changed") {
            onNetwork {
                val first = openNetGossip(NetPolicy.loopback(), secure(), quick)
                val second = openNetGossip(NetPolicy.loopback(), secure(), quick)
                fun backend(member: Gossip<NodeId>) = Backend("seed", "127.0.0.1", member.identity.at.port)
                val listed = MutableStateFlow(setOf(backend(first)))
                val user = openNetGossip(NetPolicy.loopback(), secure(), quick)
                user.follow(listed.asResolver().asSeeds())
                withTimeout(5.minutes) { user.members.first { it.size == 1 } }
                first.close()
                listed.value = setOf(backend(second))
                withTimeout(5.minutes) { user.members.first { all -> all.map { it.id } == listOf(second.identity) } }

                val told = async(start = CoroutineStart.UNDISPATCHED) {
                    user.notices.first { it is GossipNotice.SeedsFailed }
                }
                user.follow(fixedResolver(Backend("db", "db.example", 1)).asSeeds())
                withTimeout(5.minutes) { told.await() }.toString() shouldContain "db.example"
                second.close()
                user.close()
            }
        }

        test("seeds have the port that was asked for, or their own") {
            val resolver = fixedResolver(Backend("a", "2001:db8::1", 1), Backend("b", "192.0.2.1", 2))
            resolver.asSeeds().seeds().first().map { it.at.port } shouldBe listOf(1, 2)
            val seeds = resolver.asSeeds(7946).seeds().first()
            seeds.last() shouldBe NodeId(NodeAddress(byteArrayOf(192.toByte(), 0, 2, 1), 7946), 0)
            seeds.first().at.host() shouldBe "2001:db8:0:0:0:0:0:1"
            shouldThrow<IllegalArgumentException> { resolver.asSeeds(65_536) }
        }
    })

package dev.carom.sockets

import dev.carom.pool.Backend
import dev.carom.pool.testkit.LeakCheckListener
import dev.carom.pool.testkit.ScriptedResolver
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

/** Sockets that follow a service whose backends change while it is in use. */
class ServiceTest :
    FunSpec({
        extension(LeakCheckListener())

        test("requests go on while backends come, go and come back; none fails, none is answered wrong") {
            live {
                val servers = List(3) { Server.open(this, "$it") }
                val resolver = ScriptedResolver(servers[0].backend)
                val req = openReqSocket("req")
                req.connect(resolver)
                val stop = AtomicBoolean()
                val asked = AtomicInteger()
                val clients = List(4) {
                    async {
                        while (!stop.get()) {
                            val question = "q${asked.incrementAndGet()}"
                            val answer = req.request(bytes(question)).decodeToString()
                            answer.substringAfter(' ') shouldBe question
                        }
                    }
                }
                for (round in 0 until 30) {
                    val listed = listOf(servers[round % 3], servers[(round + 1) % 3]).take(1 + round % 2)
                    resolver.set(listed.map { it.backend })
                    // Each of them is seen at work before the next change, and whoever is not listed is left.
                    for (server in listed) server.awaitAnother()
                    req.pipes.first { pipes -> pipes.map { it.url }.toSet() == listed.map { it.url }.toSet() }
                }
                stop.set(true)
                clients.awaitAll()
                asked.get() shouldBeGreaterThan 30
                resolver.collections shouldBe 1
                req.close(60_000)
                resolver.collectors shouldBe 0
                servers.forEach { it.close() }
            }
        }

        test("a request whose backend is no longer listed may still be answered") {
            live {
                val old = openRepSocket("old")
                val new = openRepSocket("new")
                val oldBackend = backend("old", old.bind("tcp://127.0.0.1:0").url)
                val newBackend = backend("new", new.bind("tcp://127.0.0.1:0").url)
                val resolver = ScriptedResolver(oldBackend)
                val req = openReqSocket("req", SocketPolicy(drainTimeout = 60.seconds))
                req.connect(resolver)
                val answer = async { req.request(bytes("slow")).decodeToString() }
                val slow = old.receive()
                val servers = listOf(old, new).map { launch { it.serve(1) { _ -> bytes("from ${it.name}") } } }
                resolver.set(newBackend)
                // Both, for a moment: the old one is left when the new one is open.
                do {
                    val answers = List(4) { req.request(bytes("quick")).decodeToString() }
                } while ("from old" in answers)
                slow.reply(bytes("slowly"))
                answer.await() shouldBe "slowly"
                req.pipes.first { it.size == 1 }
                old.pipes.first { it.isEmpty() }
                req.closeAll(old, new)
                servers.forEach { it.join() }
            }
        }

        test("a backend that is down is tried again, and used when it is up") {
            live {
                val placeholder = openPullSocket("placeholder")
                val url = placeholder.bind("tcp://127.0.0.1:0").url
                placeholder.close()
                val push = openPushSocket("push")
                push.connect(ScriptedResolver(backend("late", url)))
                push.notices.first { it is SocketNotice.ConnectFailed && it.url == url }
                val pull = openPullSocket("pull")
                pull.bind(url)
                push.send(bytes("there"))
                pull.receive().decodeToString() shouldBe "there"
                push.closeAll(pull)
            }
        }

        test("a pair moves to where its service moves") {
            live {
                val places = List(2) { openPairSocket("place $it") }
                val backends = places.mapIndexed { i, it -> backend("$i", it.bind("tcp://127.0.0.1:0").url) }
                val resolver = ScriptedResolver(backends[0])
                val pair = openPairSocket("pair")
                pair.connect(resolver)
                pair.send(bytes("first"))
                places[0].receive().decodeToString() shouldBe "first"
                resolver.set(backends[1])
                places[0].pipes.first { it.isEmpty() }
                places[1].awaitPipes(1)
                pair.send(bytes("second"))
                places[1].receive().decodeToString() shouldBe "second"
                pair.close()
                places.forEach { it.close() }
            }
        }

        test("an endpoint can be closed while the socket lives on") {
            live {
                val pulls = List(2) { openPullSocket("pull $it") }
                val push = openPushSocket("push")
                val endpoints = pulls.map { push.connect(it.bind("tcp://127.0.0.1:0").url) }
                push.awaitPipes(2)
                endpoints[0].close()
                push.pipes.value.map { it.url } shouldBe listOf(endpoints[1].url)
                repeat(10) { push.send(bytes("$it")) }
                List(10) { pulls[1].receive().decodeToString() } shouldBe List(10) { "$it" }
                push.close()
                pulls.forEach { it.close() }
            }
        }
    })

private fun backend(name: String, url: String) = Backend(name, "127.0.0.1", url.substringAfterLast(':').toInt())

/** Answers with its name and the question, until it is closed. */
private class Server private constructor(val socket: RepSocket, val url: String, name: String) {
    val backend = backend(name, url)
    private val answered = kotlinx.coroutines.flow.MutableStateFlow(0)
    private lateinit var work: Job

    suspend fun awaitAnother() {
        val before = answered.value
        answered.first { it > before }
    }

    suspend fun close() {
        socket.close()
        work.join()
    }

    companion object {
        suspend fun open(scope: CoroutineScope, name: String): Server {
            val socket = scope.openRepSocket("server $name")
            val server = Server(socket, socket.bind("tcp://127.0.0.1:0").url, name)
            server.work = scope.launch {
                socket.serve(4) {
                    server.answered.value++
                    bytes("$name ${it.decodeToString()}")
                }
            }
            return server
        }
    }
}

package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.NioTransports
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.lang.management.ManagementFactory
import kotlin.time.Duration.Companion.milliseconds

/** Opening, waiting, timing out and closing. */
class SocketLifeTest :
    FunSpec({
        extension(LeakCheckListener())

        test("a transport written in Java carries sockets under its own scheme") {
            live {
                val counting = CountingTransport()
                val transports = NioTransports.all() + counting
                val push = openPushSocket("push", transports = transports)
                val pull = openPullSocket("pull", transports = transports)
                val url = pull.bind("counted://127.0.0.1:0").url
                url shouldContain "counted://127.0.0.1:"
                push.connect(url)
                push.send(ByteArray(100))
                pull.receive().size shouldBe 100
                counting.bytes.get() shouldBe 8 + 8 + 8 + 100
                shouldThrow<SocketException.UnknownScheme> { push.connect("other://127.0.0.1:1") }
                push.closeAll(pull)
            }
        }

        for (row in rows) {
            // A handshake of TLS takes the time of some fifty without.
            val rounds = if (row.isTls) 2 else 20
            test("$row: ${50 * rounds} sockets come, ask and go, fifty at a time, and nothing is left of them") {
                live {
                    val rep = openRepSocket("rep", transports = row.transports)
                    val url = rep.bind(row.url()).url
                    val serving = launch { rep.serve(8) { it } }
                    List(50) { worker ->
                        async {
                            repeat(rounds) { round ->
                                val req = openReqSocket("req $worker", transports = row.transports)
                                req.connect(url)
                                req.request(bytes("$worker/$round")).decodeToString() shouldBe "$worker/$round"
                                req.close(if (round % 2 == 0) 0 else 5_000)
                            }
                        }
                    }.awaitAll()
                    rep.pipes.first { it.isEmpty() }
                    val all = 50L * rounds
                    rep.counters.run { listOf(received, delivered, accepted, queued) } shouldBe
                        listOf(all, all, all, 0L)
                    rep.close()
                    serving.join()
                }
            }
        }

        test("a name is looked up, and all its addresses are tried") {
            live {
                val pull = openPullSocket("pull")
                val port = pull.bind("tcp://127.0.0.1:0").url.substringAfterLast(':')
                val push = openPushSocket("push")
                push.connect("tcp://localhost:$port")
                push.send(bytes("hello"))
                pull.receive().decodeToString() shouldBe "hello"
                val own = openPushSocket("from an address of its own")
                own.connect("tcp://127.0.0.1;127.0.0.1:$port")
                own.send(bytes("me too"))
                pull.receive().decodeToString() shouldBe "me too"
                push.closeAll(pull, own)
            }
        }

        test("in Dispatchers.Unconfined a waiting call goes on in the thread that read its message") {
            live {
                val server = launch(Dispatchers.Unconfined) {
                    coroutineScope {
                        val rep = openRepSocket("rep")
                        val req = openReqSocket("req")
                        val url = rep.bind("tcp://127.0.0.1:0").url
                        val serving = launch { rep.serve(1) { bytes(Thread.currentThread().name) } }
                        req.connect(url)
                        val runners = List(1_000) { req.request(bytes("who runs you?")).decodeToString() }
                        // What is there before it is asked for is taken in the asking thread: the first, or more if that
                        // thread is slow. Once the server has been woken, no other thread ever runs it.
                        val woken = runners.dropWhile { "carom-sockets-nio" !in it }
                        woken.size shouldBeGreaterThan 0
                        for (runner in woken) runner shouldContain "carom-sockets-nio"
                        withContext(Dispatchers.Default) { rep.close() }
                        serving.join()
                        withContext(Dispatchers.Default) { req.close() }
                    }
                }
                server.join()
            }
        }

        test("a time limit is an exception that says so, and takes nothing with it") {
            live {
                val policy = SocketPolicy(
                    sendTimeout = 20.milliseconds,
                    receiveTimeout = 20.milliseconds,
                    requestTimeout = 20.milliseconds,
                )
                val push = openPushSocket("push", policy)
                val pull = openPullSocket("pull", policy)
                val req = openReqSocket("req", policy)
                shouldThrow<SocketException.TimedOut> { push.send(ByteArray(1)) }.message shouldBe
                    "socket \"push\": no peer took a message within 20 ms"
                shouldThrow<SocketException.TimedOut> { pull.receive() }.millis shouldBe 20
                shouldThrow<SocketException.TimedOut> { req.request(ByteArray(1)) }.socket shouldBe "req"
                push.connect(pull.bind("tcp://127.0.0.1:0").url)
                push.awaitPipes(1)
                push.send(bytes("first"))
                pull.messages.first().decodeToString() shouldBe "first"
                push.closeAll(pull, req)
            }
        }

        test("closing is bounded: a peer that never reads is cut off, and what it did not get is counted") {
            live {
                // What the system takes is bounded on both sides, or it would take all there is.
                val link = LinkOptions(sendBuffer = 1_000_000, systemSendBuffer = 8_192)
                val push = openPushSocket("push", SocketPolicy(link = link))
                RawPeer(push.bind("tcp://127.0.0.1:0").url, receiveBuffer = 8_192).use { peer ->
                    peer.say("00 53 50 00 00 51 00 00")
                    push.awaitPipes(1)
                    var accepted = 0L
                    while (push.trySend(ByteArray(10_000))) accepted++
                    val report = push.close(100)
                    report.unsent shouldBeGreaterThan 0
                    report.forced shouldBe 1
                    push.counters.run { listOf(this.accepted, sent + report.unsent, unsent) } shouldBe
                        listOf(accepted, accepted, 0L)
                    push.close(5_000).unsent shouldBe report.unsent
                }
            }
        }

        test("whoever waits for pipes or messages of a socket that closes is told") {
            live {
                val pull = openPullSocket("pull")
                val pipes = async(start = CoroutineStart.UNDISPATCHED) {
                    shouldThrow<SocketException.Closed> { pull.awaitPipes(1) }
                }
                val messages = async(start = CoroutineStart.UNDISPATCHED) { pull.messages.toList() }
                val notices = async(start = CoroutineStart.UNDISPATCHED) { pull.notices.toList() }
                pull.bind("inproc://waiting")
                pull.close()
                pipes.await().message shouldBe "socket \"pull\" is closed"
                messages.await() shouldBe emptyList()
                notices.await().map { it.toString() } shouldBe
                    listOf("listening at inproc://waiting", "not listening at inproc://waiting any more")
                pull.notices.toList() shouldBe emptyList()
            }
        }

        test("a call in a cancelled scope is cancelled, also if the socket has closed before it") {
            live {
                var thrown: Throwable? = null
                val scope = launch(start = CoroutineStart.UNDISPATCHED) {
                    val pull = openPullSocket("pull")
                    try {
                        awaitCancellation()
                    } finally {
                        withContext(NonCancellable) { pull.close(0) }
                        thrown = runCatching { pull.receive() }.exceptionOrNull()
                    }
                }
                scope.cancelAndJoin()
                thrown.shouldBeInstanceOf<CancellationException>()
            }
        }

        test("a slow listener loses the oldest notices, is told how many, and slows nobody") {
            live {
                val pull = openPullSocket("pull", SocketPolicy(noticeBuffer = 2))
                val first = CompletableDeferred<Unit>()
                val goOn = CompletableDeferred<Unit>()
                val seen = mutableListOf<String>()
                val listening = launch(start = CoroutineStart.UNDISPATCHED) {
                    pull.notices.collect {
                        seen += it.toString()
                        first.complete(Unit)
                        goOn.await()
                    }
                }
                repeat(10) {
                    pull.bind("inproc://slow $it").close()
                    first.await()
                }
                goOn.complete(Unit)
                pull.close()
                listening.join()
                seen.first() shouldBe "listening at inproc://slow 0"
                seen.count { "notices missed" in it } shouldBeGreaterThan 0
            }
        }

        test("the pipes of a closed endpoint are gone, even if somebody is still being told of others") {
            live {
                val pull = openPullSocket("pull")
                val pushes = List(2) { openPushSocket("push $it").also { push -> push.bind("inproc://told $it") } }
                val first = pull.connect("inproc://told 0")
                pull.awaitPipes(1)
                var left = -1
                val listening = launch(Dispatchers.Unconfined) {
                    pull.pipes.first { it.size == 2 }
                    // Meanwhile nobody else tells.
                    runBlocking { withContext(Dispatchers.IO) { first.close() } }
                    left = pull.pipes.value.size
                }
                pull.connect("inproc://told 1")
                listening.join()
                left shouldBe 1
                pull.closeAll(*pushes.toTypedArray())
            }
        }

        test("connected and idle, sockets take no processor time; with the last of them the thread ends") {
            live {
                val push = openPushSocket("push")
                val pull = openPullSocket("pull")
                push.connect(pull.bind("tcp://127.0.0.1:0").url)
                push.send(ByteArray(1))
                pull.receive()
                val loop = Thread.getAllStackTraces().keys.single { it.name == "carom-sockets-nio" }
                val threads = ManagementFactory.getThreadMXBean()
                val before = threads.getThreadCpuTime(loop.id)
                delay(300)
                // Of 300 ms: a loop that spins takes nearly all of them.
                (threads.getThreadCpuTime(loop.id) - before) / 1_000_000 shouldBeLessThan 30
                push.closeAll(pull)
                withContext(Dispatchers.IO) { loop.join(10_000) }
                loop.isAlive shouldBe false
            }
        }
    })

package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What every protocol does on every transport of every engine. */
class SocketContractTest :
    FunSpec({
        extension(LeakCheckListener())

        for (row in rows) {
            test("$row: PUSH and PULL, in order, whoever binds") {
                live {
                    for (pullBinds in listOf(true, false)) {
                        val push = openPushSocket("push", transports = row.transports)
                        val pull = openPullSocket("pull", transports = row.transports)
                        if (pullBinds) {
                            push.connect(
                                pull.bind(row.url()).url,
                            )
                        } else {
                            pull.connect(push.bind(row.url()).url)
                        }
                        val received = async { List(1_000) { pull.receive().decodeToString() } }
                        repeat(1_000) { push.send(bytes("job $it")) }
                        received.await() shouldBe List(1_000) { "job $it" }
                        push.closeAll(pull)
                    }
                }
            }

            test("$row: messages of no byte, of one, and of the largest size pass") {
                live {
                    val limit = 100_000
                    val push = openPushSocket("push", transports = row.transports)
                    val pull = openPullSocket("pull", SocketPolicy(receiveLimit = limit), row.transports)
                    push.connect(pull.bind(row.url()).url)
                    for (size in listOf(0, 1, 9, 32_767, 32_768, limit)) {
                        val message = ByteArray(size) { it.toByte() }
                        push.send(message)
                        pull.receive().contentEquals(message) shouldBe true
                    }
                    push.closeAll(pull)
                }
            }

            test("$row: a message over the limit closes its pipe, says so, and the next one gets through") {
                live {
                    val push = openPushSocket("push", transports = row.transports)
                    val pull = openPullSocket("pull", SocketPolicy(receiveLimit = 1000), row.transports)
                    val said = async(start = CoroutineStart.UNDISPATCHED) {
                        pull.notices.filterIsInstance<SocketNotice.PipeClosed>().first().reason
                    }
                    push.connect(pull.bind(row.url()).url)
                    push.awaitPipes(1)
                    push.send(ByteArray(1001))
                    said.await() shouldBe "a message of 1001 bytes was announced, at most 1000 are received"
                    val lost = push.counters.accepted
                    // Into the broken pipe, as long as the sender does not know; then into the next.
                    while (pull.tryReceive() == null) push.send(bytes("small"))
                    lost shouldBe 1
                    push.closeAll(pull)
                }
            }

            test("$row: a hundred requests at once, each gets its own answer") {
                live {
                    val req = openReqSocket("req", transports = row.transports)
                    val rep = openRepSocket("rep", transports = row.transports)
                    req.connect(rep.bind(row.url()).url)
                    val server = launch { rep.serve(8) { bytes(it.decodeToString().uppercase()) } }
                    List(100) { async { req.request(bytes("question $it")).decodeToString() } }.awaitAll() shouldBe
                        List(100) { "QUESTION $it" }
                    rep.close()
                    server.join()
                    req.close()
                }
            }

            test("$row: a request whose server goes away is answered by another") {
                live {
                    val req = openReqSocket("req", transports = row.transports)
                    val first = openRepSocket("first", transports = row.transports)
                    val second = openRepSocket("second", transports = row.transports)
                    req.connect(first.bind(row.url()).url)
                    req.awaitPipes(1)
                    val answer = async { req.request(bytes("who?")).decodeToString() }
                    first.receive().body.decodeToString() shouldBe "who?"
                    req.connect(second.bind(row.url()).url)
                    first.close(0)
                    second.receive().reply(bytes("second"))
                    answer.await() shouldBe "second"
                    req.closeAll(second)
                }
            }

            test("$row: with an infinite resend the request fails instead") {
                live {
                    val req = openReqSocket("req", SocketPolicy(resend = Duration.INFINITE), row.transports)
                    val rep = openRepSocket("rep", transports = row.transports)
                    req.connect(rep.bind(row.url()).url)
                    val answer = async { shouldThrow<SocketException.PeerLost> { req.request(bytes("who?")) } }
                    rep.receive()
                    rep.close(0)
                    answer.await()
                    req.close()
                }
            }

            test("$row: subscribers get what they subscribed to") {
                live {
                    val pub = openPubSocket("pub", transports = row.transports)
                    val a = openSubSocket("a", transports = row.transports)
                    val all = openSubSocket("all", transports = row.transports)
                    a.subscribe("A")
                    all.subscribe("")
                    val url = pub.bind(row.url()).url
                    a.connect(url)
                    all.connect(url)
                    pub.awaitPipes(2)
                    for (text in listOf("A1", "B1", "A2")) pub.send(bytes(text))
                    List(2) { a.receive().decodeToString() } shouldBe listOf("A1", "A2")
                    List(3) { all.receive().decodeToString() } shouldBe listOf("A1", "B1", "A2")
                    a.counters.droppedIn shouldBe mapOf(DropReason.Filtered to 1L)
                    shouldThrow<SocketException.NotSubscribed> { a.unsubscribe("B") }
                    pub.closeAll(a, all)
                }
            }

            test("$row: a survey ends at its deadline with the answers that came") {
                live {
                    val surveyor =
                        openSurveyorSocket("surveyor", SocketPolicy(surveyDeadline = 300.milliseconds), row.transports)
                    val respondents = List(3) { openRespondentSocket("respondent $it", transports = row.transports) }
                    val url = surveyor.bind(row.url()).url
                    respondents.forEach { it.connect(url) }
                    surveyor.awaitPipes(3)
                    val working = respondents.take(2).mapIndexed { i, respondent ->
                        launch { respondent.serve(1) { bytes("$i: ${it.decodeToString()}") } }
                    }
                    surveyor.survey(bytes("up?")).toList().map { it.decodeToString() } shouldContainExactlyInAnyOrder
                        listOf("0: up?", "1: up?")
                    respondents.forEach { it.close() }
                    working.forEach { it.join() }
                    surveyor.close()
                }
            }

            test("$row: each bus hears all the others, and not itself") {
                live {
                    val buses = List(3) { openBusSocket("bus $it", transports = row.transports) }
                    val urls = buses.take(2).map { it.bind(row.url()).url }
                    buses[1].connect(urls[0])
                    buses[2].connect(urls[0])
                    buses[2].connect(urls[1])
                    buses.forEach { it.awaitPipes(2) }
                    buses.forEachIndexed { i, bus -> bus.send(bytes("from $i")) }
                    buses.forEachIndexed { i, bus ->
                        List(2) { bus.receive().decodeToString() } shouldContainExactlyInAnyOrder
                            (0..2).minus(i).map { "from $it" }
                    }
                    buses.forEach { bus ->
                        bus.tryReceive() shouldBe null
                        bus.close()
                    }
                }
            }

            test("$row: a pair has one peer at a time; the next one takes the place of the first") {
                live {
                    val bound = openPairSocket("bound", transports = row.transports)
                    val first = openPairSocket("first", transports = row.transports)
                    val second = openPairSocket("second", transports = row.transports)
                    val url = bound.bind(row.url()).url
                    first.connect(url)
                    bound.awaitPipes(1)
                    val taken = bound.pipes.value.single().id
                    first.send(bytes("ping"))
                    bound.receive().decodeToString() shouldBe "ping"
                    bound.send(bytes("pong"))
                    first.receive().decodeToString() shouldBe "pong"
                    val refused = async(start = CoroutineStart.UNDISPATCHED) {
                        bound.notices.filterIsInstance<SocketNotice.PeerRejected>().first().reason
                    }
                    second.connect(url)
                    refused.await() shouldBe "there is a peer already, and a pair has only one"
                    first.close()
                    // Until then it may be sent on a pipe that is just being refused.
                    bound.pipes.first { pipes -> pipes.any { it.id != taken } }
                    second.send(bytes("mine now"))
                    bound.receive().decodeToString() shouldBe "mine now"
                    bound.closeAll(second)
                }
            }

            test("$row: who connects first waits for whoever binds later") {
                live {
                    val url = row.url().replace(":0", ":1")
                    val placeholder = openPullSocket("placeholder", transports = row.transports)
                    val there = placeholder.bind(if (url.endsWith(":1")) url.removeSuffix("1") + "0" else url).url
                    placeholder.close()
                    val push = openPushSocket("push", transports = row.transports)
                    val failed = async(start = CoroutineStart.UNDISPATCHED) {
                        push.notices.filterIsInstance<SocketNotice.ConnectFailed>().first()
                    }
                    push.connect(there)
                    failed.await().url shouldBe there
                    push.trySend(bytes("nobody")) shouldBe false
                    val pull = openPullSocket("pull", transports = row.transports)
                    val sending = launch { push.send(bytes("at last")) }
                    pull.bind(there)
                    pull.receive().decodeToString() shouldBe "at last"
                    sending.join()
                    push.closeAll(pull)
                }
            }

            test("$row: the wrong role is turned away, and nothing is lost by it") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val pair = openPairSocket("pair", transports = row.transports)
                    val push = openPushSocket("push", transports = row.transports)
                    val refused = async(start = CoroutineStart.UNDISPATCHED) {
                        pull.notices.filterIsInstance<SocketNotice.PeerRejected>().first().reason
                    }
                    val url = pull.bind(row.url()).url
                    pair.connect(url)
                    refused.await() shouldBe "a pull socket does not talk to role 16"
                    push.connect(url)
                    push.send(bytes("x"))
                    pull.receive().decodeToString() shouldBe "x"
                    pair.pipes.value shouldBe emptyList()
                    pull.closeAll(pair, push)
                }
            }

            test("$row: an address that is in use is refused, and is free again after closing") {
                live {
                    val first = openPullSocket("first", transports = row.transports)
                    val second = openPullSocket("second", transports = row.transports)
                    val endpoint = first.bind(row.url())
                    shouldThrow<SocketException.AddressInUse> { second.bind(endpoint.url) }
                    endpoint.close()
                    second.bind(endpoint.url)
                    first.closeAll(second)
                    shouldThrow<SocketException.Closed> { second.bind(row.url()) }
                }
            }

            test("$row: who receives nothing is sent nothing more, and gets everything later") {
                live {
                    val push = openPushSocket("push", transports = row.transports)
                    val pull = openPullSocket("pull", transports = row.transports)
                    push.connect(pull.bind(row.url()).url)
                    push.awaitPipes(1)
                    pull.awaitPipes(1)
                    var accepted = 0
                    val full = async {
                        // What fits into all the buffers differs; that it ends is what counts.
                        while (push.trySend(ByteArray(10_000) { accepted.toByte() })) accepted++
                        val waiting = launch(start = CoroutineStart.UNDISPATCHED) { push.send(ByteArray(1)) }
                        repeat(accepted) { i -> pull.receive().all { it == i.toByte() } shouldBe true }
                        waiting.join()
                        pull.receive().size
                    }
                    full.await() shouldBe 1
                    push.closeAll(pull)
                }
            }

            test("$row: what was sent just before closing arrives, also at a slow reader") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val url = pull.bind(row.url()).url
                    repeat(30) { round ->
                        val push = openPushSocket("push", transports = row.transports)
                        push.connect(url)
                        push.send(bytes("one shot $round"))
                        val closing = async { push.close(10_000) }
                        pull.receive().decodeToString() shouldBe "one shot $round"
                        closing.await().run { listOf(unsent, forced.toLong()) } shouldBe listOf(0L, 0L)
                    }
                    val push = openPushSocket("push", transports = row.transports)
                    push.connect(url)
                    val sending = async {
                        repeat(1_600) { push.send(ByteArray(10_240)) }
                        push.close(30_000)
                    }
                    repeat(1_600) { pull.receive().size shouldBe 10_240 }
                    sending.await().unsent shouldBe 0
                    pull.close()
                }
            }

            test("$row: closing fails all who wait, at once") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val push = openPushSocket("push", transports = row.transports)
                    val calls = List(100) {
                        async(start = CoroutineStart.UNDISPATCHED) { runCatching { pull.receive() } }
                    } + List(100) {
                        async(start = CoroutineStart.UNDISPATCHED) { runCatching { push.send(ByteArray(1)) } }
                    }
                    pull.bind(row.url())
                    push.closeAll(pull)
                    for (call in calls) call.await().exceptionOrNull().shouldBeInstanceOf<SocketException.Closed>()
                    shouldThrow<SocketException.Closed> { push.trySend(ByteArray(0)) }
                }
            }

            test("$row: cancelling the scope closes everything") {
                live {
                    val busy = CompletableDeferred<Unit>()
                    val scope = launch {
                        val rep = openRepSocket("rep", transports = row.transports)
                        val req = openReqSocket("req", transports = row.transports)
                        req.connect(rep.bind(row.url()).url)
                        launch { req.request(ByteArray(1)) }
                        rep.receive()
                        busy.complete(Unit)
                        rep.receive()
                    }
                    busy.await()
                    scope.cancel()
                    scope.join()
                }
            }
        }
    })

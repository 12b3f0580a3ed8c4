package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What each pattern does, on every transport of every engine. */
class PatternsTest :
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

            test("$row: a survey is answered by whoever wants to") {
                live {
                    val policy = SocketPolicy(surveyDeadline = 60.seconds)
                    val surveyor = openSurveyorSocket("surveyor", policy, row.transports)
                    val respondents = List(3) { openRespondentSocket("respondent $it", transports = row.transports) }
                    val url = surveyor.bind(row.url()).url
                    respondents.forEach { it.connect(url) }
                    surveyor.awaitPipes(3)
                    val working = respondents.take(2).mapIndexed { i, respondent ->
                        launch { respondent.serve(1) { bytes("$i: ${it.decodeToString()}") } }
                    }
                    val answers = surveyor.survey(bytes("up?")).take(2).toList()
                    answers.map { it.decodeToString() } shouldContainExactlyInAnyOrder listOf("0: up?", "1: up?")
                    respondents.forEach { it.close() }
                    working.forEach { it.join() }
                    surveyor.close()
                }
            }

            test("$row: a survey ends at its deadline, whoever is silent") {
                live {
                    val policy = SocketPolicy(surveyDeadline = 50.milliseconds)
                    val surveyor = openSurveyorSocket("surveyor", policy, row.transports)
                    val respondent = openRespondentSocket("respondent", transports = row.transports)
                    respondent.connect(surveyor.bind(row.url()).url)
                    surveyor.awaitPipes(1)
                    surveyor.survey(bytes("up?")).toList() shouldBe emptyList()
                    respondent.receive().body.decodeToString() shouldBe "up?"
                    surveyor.closeAll(respondent)
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
        }
    })

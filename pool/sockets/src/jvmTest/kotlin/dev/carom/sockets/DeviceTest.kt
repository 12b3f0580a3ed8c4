package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlin.time.Duration.Companion.seconds

class DeviceTest :
    FunSpec({
        extension(LeakCheckListener())

        for (row in rows) {
            test("$row: many who ask and many who answer, through two queues, each gets its own answer") {
                live {
                    val outer = openRawSocket("outer", Protocol.Rep, transports = row.transports)
                    val between = openRawSocket("between", Protocol.Req, transports = row.transports)
                    val inner = openRawSocket("inner", Protocol.Rep, transports = row.transports)
                    val last = openRawSocket("last", Protocol.Req, transports = row.transports)
                    between.connect(inner.bind(row.url()).url)
                    val work = last.bind(row.url()).url
                    val devices = listOf(launch { device(outer, between) }, launch { device(inner, last) })
                    val workers = List(2) { i ->
                        openRepSocket("worker $i", transports = row.transports).also { it.connect(work) }
                    }
                    val working = workers.map { launch { it.serve { question -> question.reversedArray() } } }
                    val front = outer.bind(row.url()).url
                    val askers = List(2) { openReqSocket("asker $it", transports = row.transports) }
                    askers.forEach { it.connect(front) }
                    val answers = List(100) { async { askers[it % 2].request(bytes("ask $it")).decodeToString() } }
                    answers.awaitAll() shouldBe List(100) { "ask $it".reversed() }
                    askers.forEach { it.close() }
                    outer.close()
                    inner.close()
                    devices.forEach { it.join() }
                    between.closeAll(last, *workers.toTypedArray())
                    working.forEach { it.join() }
                }
            }

            test("$row: a survey reaches everybody behind the broker") {
                live {
                    val left = openRawSocket("left", Protocol.Respondent, transports = row.transports)
                    val right = openRawSocket("right", Protocol.Surveyor, transports = row.transports)
                    val broker = launch { device(left, right) }
                    val url = right.bind(row.url()).url
                    val respondents = List(3) { openRespondentSocket("respondent $it", transports = row.transports) }
                    respondents.forEach { it.connect(url) }
                    right.awaitPipes(3)
                    val working = respondents.mapIndexed { i, it -> launch { it.serve { _ -> bytes("$i") } } }
                    val policy = SocketPolicy(surveyDeadline = 60.seconds)
                    val surveyor = openSurveyorSocket("surveyor", policy, row.transports)
                    surveyor.connect(left.bind(row.url()).url)
                    surveyor.awaitPipes(1)
                    val answers = surveyor.survey(bytes("who?")).take(3).toList()
                    answers.map { it.decodeToString() } shouldContainExactlyInAnyOrder listOf("0", "1", "2")
                    broker.cancelAndJoin()
                    surveyor.closeAll(left, right, *respondents.toTypedArray())
                    working.forEach { it.join() }
                }
            }

            test("$row: a streamer passes on work, in order, and a forwarder news") {
                live {
                    val pull = openRawSocket("pull", Protocol.Pull, transports = row.transports)
                    val push = openRawSocket("push", Protocol.Push, transports = row.transports)
                    val streamer = launch { device(pull, push) }
                    val source = openPushSocket("source", transports = row.transports)
                    val sink = openPullSocket("sink", transports = row.transports)
                    source.connect(pull.bind(row.url()).url)
                    sink.connect(push.bind(row.url()).url)
                    val received = async { List(500) { sink.receive().decodeToString() } }
                    repeat(500) { source.send(bytes("$it")) }
                    received.await() shouldBe List(500) { "$it" }
                    pull.close()
                    streamer.join()
                    source.closeAll(push, sink)

                    val sub = openRawSocket("sub", Protocol.Sub, transports = row.transports)
                    val pub = openRawSocket("pub", Protocol.Pub, transports = row.transports)
                    val forwarder = launch { device(sub, pub) }
                    val publisher = openPubSocket("publisher", transports = row.transports)
                    val subscriber = openSubSocket("subscriber", transports = row.transports)
                    subscriber.subscribe("news")
                    publisher.connect(sub.bind(row.url()).url)
                    subscriber.connect(pub.bind(row.url()).url)
                    publisher.awaitPipes(1)
                    pub.awaitPipes(1)
                    publisher.send(bytes("other"))
                    publisher.send(bytes("news: none"))
                    subscriber.receive().decodeToString() shouldBe "news: none"
                    sub.close()
                    forwarder.join()
                    publisher.closeAll(pub, subscriber)
                }
            }

            test("$row: on one bus socket as a device, everybody hears the others and nobody itself") {
                live {
                    val hub = openRawSocket("hub", Protocol.Bus, transports = row.transports)
                    val relay = launch { device(hub, hub) }
                    val url = hub.bind(row.url()).url
                    val members = List(3) { openBusSocket("member $it", transports = row.transports) }
                    members.forEach { it.connect(url) }
                    hub.awaitPipes(3)
                    members.forEach { it.awaitPipes(1) }
                    members[0].send(bytes("hello"))
                    members[1].receive().decodeToString() shouldBe "hello"
                    members[2].receive().decodeToString() shouldBe "hello"
                    members[0].tryReceive() shouldBe null
                    hub.close()
                    relay.join()
                    members.forEach { it.close() }
                }
            }
        }

        test("a header leads back to whoever asked, and what leads nowhere is counted") {
            live {
                val rep = openRawSocket("rep", Protocol.Rep)
                val req = openRawSocket("req", Protocol.Req)
                req.connect(rep.bind("tcp://127.0.0.1:0").url)
                req.send(RawMessage(intArrayOf(7, Int.MIN_VALUE + 5), bytes("hi")))
                val asked = rep.receive()
                asked.header.drop(1) shouldBe listOf(7, Int.MIN_VALUE + 5)
                asked.body.decodeToString() shouldBe "hi"
                rep.send(RawMessage(asked.header, bytes("there")))
                val answer = req.receive()
                answer.header.toList() shouldBe listOf(7, Int.MIN_VALUE + 5)
                answer.body.decodeToString() shouldBe "there"
                answer.toString() shouldBe "RawMessage(2 words, 5 bytes)"
                rep.send(RawMessage(intArrayOf(1, Int.MIN_VALUE), bytes("nobody")))
                req.send(RawMessage(IntArray(0), bytes("no id")))
                rep.counters.droppedOut shouldBe mapOf(DropReason.PeerGone to 1L)
                req.counters.droppedOut shouldBe mapOf(DropReason.Malformed to 1L)
                req.closeAll(rep)
            }
        }

        test("only peers can be joined, and a role does only what it can") {
            live {
                val pull = openRawSocket("in", Protocol.Pull)
                val pub = openRawSocket("out", Protocol.Pub)
                shouldThrow<IllegalArgumentException> { device(pull, pub) }.message shouldBe
                    "pull \"in\" does not talk to pub \"out\""
                shouldThrow<UnsupportedOperationException> { pull.send(RawMessage(IntArray(0), bytes("x"))) }
                shouldThrow<UnsupportedOperationException> { pub.receive() }
                pull.closeAll(pub)
            }
        }
    })

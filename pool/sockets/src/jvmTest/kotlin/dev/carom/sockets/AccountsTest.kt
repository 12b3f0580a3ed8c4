package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlin.random.Random

/** Nothing gets lost between the numbers: sent = delivered + dropped, exactly, whatever is dropped and why. */
class AccountsTest :
    FunSpec({
        extension(LeakCheckListener())
        val seed = Random.nextInt()

        for (row in rows) {
            test("$row: a publisher and its slow subscribers agree on every message (seed $seed)") {
                live {
                    val random = Random(seed)
                    val pub = openPubSocket("pub", SocketPolicy(sendQueue = 4), row.transports)
                    val url = pub.bind(row.url()).url
                    val subs = List(3) { i ->
                        openSubSocket("sub $i", SocketPolicy(subscriberQueue = 8), row.transports).also {
                            it.subscribe(if (i == 0) "" else "$i")
                            it.connect(url)
                        }
                    }
                    pub.awaitPipes(3)
                    var taken = 0L
                    val reading = launch { subs[0].messages.collect { taken++ } }
                    val count = if (row.isCommon) 20_000 else 4_000
                    List(4) { worker ->
                        val dice = Random(random.nextInt())
                        async {
                            repeat(count / 4) {
                                pub.send(bytes("${dice.nextInt(4)} from $worker").copyOf(dice.nextInt(12, 4_000)))
                            }
                        }
                    }.awaitAll()
                    pub.close(60_000).unsent shouldBe 0
                    subs.forEach { sub -> sub.pipes.first { it.isEmpty() } }
                    subs.forEach { it.close() }
                    reading.join()

                    val out = pub.counters
                    out.accepted shouldBe 3L * count
                    out.sent + out.droppedOut.values.sum() shouldBe out.accepted
                    out.unsent shouldBe 0
                    subs.sumOf { it.counters.received } shouldBe out.sent
                    for (sub in subs) {
                        sub.counters.run {
                            received shouldBe delivered + droppedIn.values.sum()
                            queued shouldBe 0
                        }
                    }
                    subs[0].counters.delivered shouldBe taken
                }
            }

            test("$row: each pipe has an account of its own, and the socket's is their sum") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val url = pull.bind(row.url()).url
                    val pushes = List(3) { i -> openPushSocket("push $i", transports = row.transports) }
                    pushes.forEachIndexed { i, push ->
                        push.connect(url)
                        repeat(10 * (i + 1)) { push.send(ByteArray(7)) }
                    }
                    pull.awaitPipes(3)
                    repeat(60) { pull.receive() }
                    val pipes = pull.pipes.value
                    pipes.map { it.counters.delivered }.sorted() shouldBe listOf(10L, 20L, 30L)
                    pipes.sumOf { it.counters.receivedBytes } shouldBe 60L * 7
                    pipes.all { it.isAccepted && it.url == url } shouldBe true
                    pushes.forEachIndexed { i, push ->
                        val pipe = push.pipes.value.single()
                        listOf(pipe.isAccepted, pipe.url) shouldBe listOf(false, url)
                        push.close()
                        // Not before: what has come there may be written here and not be counted yet.
                        listOf(pipe.counters.sent, push.counters.sent) shouldBe List(2) { 10L * (i + 1) }
                    }
                    pull.pipes.first { it.isEmpty() }
                    pull.counters.run { listOf(received, delivered, queued) } shouldBe listOf(60L, 60L, 0L)
                    pull.close()
                }
            }
        }
    })

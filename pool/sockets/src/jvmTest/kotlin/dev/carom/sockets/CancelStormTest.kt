package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds

/** Calls that are cancelled at any moment, under load, from many threads. */
class CancelStormTest :
    FunSpec({
        extension(LeakCheckListener())
        val seed = Random.nextInt()

        for (row in rows) {
            val storms = if (row.isCommon) 10_000 else 2_000
            test("$row: of $storms cancelled sends and receives none loses or doubles a message (seed $seed)") {
                live {
                    val push = openPushSocket("push", transports = row.transports)
                    val pull = openPullSocket("pull", transports = row.transports)
                    push.connect(pull.bind(row.url()).url)
                    val sent = ConcurrentLinkedQueue<String>()
                    val received = ConcurrentLinkedQueue<String>()
                    val next = AtomicInteger()
                    List(8) { worker ->
                        async {
                            val random = Random(seed + worker)
                            repeat(storms / 8) {
                                stormRound(push, pull, random, "m${next.incrementAndGet()}", sent, received)
                            }
                        }
                    }.awaitAll()
                    while (received.size < sent.size) received += pull.receive().decodeToString()
                    pull.tryReceive() shouldBe null
                    received.sorted() shouldBe sent.sorted()
                    push.close(60_000).unsent shouldBe 0
                    push.counters.run { listOf(accepted, this.sent, unsent) } shouldBe
                        listOf(sent.size.toLong(), sent.size.toLong(), 0L)
                    pull.counters.run { listOf(this.received, delivered, queued) } shouldBe
                        listOf(sent.size.toLong(), sent.size.toLong(), 0L)
                    pull.close()
                }
            }

            val requests = if (row.isCommon) 2_000 else 400
            test("$row: of $requests cancelled requests none gets the answer of another (seed $seed)") {
                live {
                    val req = openReqSocket("req", transports = row.transports)
                    val rep = openRepSocket("rep", transports = row.transports)
                    req.connect(rep.bind(row.url()).url)
                    val server = launch { rep.serve(4) { it } }
                    val answered = AtomicInteger()
                    List(4) { worker ->
                        async {
                            val random = Random(seed + worker)
                            repeat(requests / 4) {
                                val question = "$worker/$it"
                                withTimeoutOrNull(random.nextInt(1, 500).microseconds) {
                                    req.request(bytes(question)).decodeToString() shouldBe question
                                    answered.incrementAndGet()
                                }
                            }
                        }
                    }.awaitAll()
                    req.request(bytes("still there")).decodeToString() shouldBe "still there"
                    rep.close()
                    server.join()
                    req.close()
                    req.counters.run {
                        received shouldBe delivered + droppedIn.values.sum()
                        delivered shouldBeGreaterThan answered.toLong()
                    }
                }
            }
        }
    })

/** One send and one receive, both cancelled sometime, or not. What counts is counted where the call returns. */
private suspend fun stormRound(
    push: PushSocket,
    pull: PullSocket,
    random: Random,
    message: String,
    sent: MutableCollection<String>,
    received: MutableCollection<String>,
) = coroutineScope {
    fun start() = if (random.nextBoolean()) CoroutineStart.DEFAULT else CoroutineStart.UNDISPATCHED
    val receiving = launch(start = start()) { received += pull.receive().decodeToString() }
    val sending = launch(start = start()) {
        push.send(bytes(message))
        sent += message
    }
    repeat(random.nextInt(4)) { yield() }
    if (random.nextInt(3) > 0) sending.cancel()
    repeat(random.nextInt(2)) { yield() }
    receiving.cancel()
    sending.cancel()
}

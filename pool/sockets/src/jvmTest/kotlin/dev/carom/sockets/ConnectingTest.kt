package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch

/** Who connects to whom, what is let in, and what waits, on every transport of every engine. */
class ConnectingTest :
    FunSpec({
        extension(LeakCheckListener())

        for (row in rows) {
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
                    // Nobody will take what it sent meanwhile.
                    push.close(0)
                    pull.close(0)
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
                        // The peer, which turns us away as well, may have been quicker; but it will come again.
                        pull.notices.filterIsInstance<SocketNotice.PeerRejected>()
                            .first { "does not talk" in it.reason }.reason
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
        }
    })

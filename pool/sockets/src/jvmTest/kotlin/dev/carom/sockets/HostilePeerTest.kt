package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeIn
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.mapNotNull
import kotlin.time.Duration.Companion.seconds

private const val PULL_SAYS = "00 53 50 00 00 51 00 00"
private const val PUSH_SAYS = "00 53 50 00 00 50 00 00"
private const val REQ_SAYS = "00 53 50 00 00 30 00 00"

/** Peers that send rubbish, too much, too little or nothing. */
class HostilePeerTest :
    FunSpec({
        extension(LeakCheckListener())
        val overTheWire = rows.filter { it.isPlain }

        for (row in overTheWire) {
            val typed = if (row.name.startsWith("ipc")) "01 " else ""

            test("$row: a handshake that is not ours ends the connection, and the reason is told") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val url = pull.bind(row.url()).url
                    val wrong = mapOf(
                        "00 53 50 01 00 50 00 00" to "byte 3 of the handshake was 1",
                        "47 45 54 20 2f 20 48 54" to "byte 0 of the handshake was 71",
                        "00 53 50 00 00 50 00 01" to "bytes 6 and 7 of the handshake were 1",
                        "00 53 50 00 00 20 00 00" to "a pull socket does not talk to role 32",
                    )
                    for ((said, reason) in wrong) {
                        val told = async(start = CoroutineStart.UNDISPATCHED) { pull.rejections().first() }
                        RawPeer(url).use { peer ->
                            peer.hear(8) shouldBe PULL_SAYS
                            peer.say(said)
                            peer.hearsTheEnd() shouldBe true
                        }
                        told.await() shouldContain reason
                    }
                    pull.pipes.value shouldBe emptyList()
                    pull.close()
                }
            }

            test("$row: whoever goes away in the middle of a handshake leaves nothing behind") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val url = pull.bind(row.url()).url
                    for (count in 0..7) {
                        val told = async(start = CoroutineStart.UNDISPATCHED) { pull.rejections().first() }
                        RawPeer(url).use { peer ->
                            peer.hear(8)
                            peer.say(hex(PUSH_SAYS).copyOf(count))
                        }
                        // A reset, if our own handshake had not been read.
                        told.await() shouldBeIn
                            listOf("the peer closed it before its handshake was complete", "it failed")
                    }
                    pull.close()
                }
            }

            test("$row: a handshake and a message may come byte by byte") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    RawPeer(pull.bind(row.url()).url).use { peer ->
                        for (byte in hex("$PUSH_SAYS $typed 00 00 00 00 00 00 00 02 68 69")) peer.say(byteArrayOf(byte))
                        pull.receive().decodeToString() shouldBe "hi"
                    }
                    pull.close()
                }
            }

            test("$row: silence is cut off in time") {
                live {
                    val pull = openPullSocket("pull", SocketPolicy(handshakeTimeout = 2.seconds), row.transports)
                    val url = pull.bind(row.url()).url
                    val told = async(start = CoroutineStart.UNDISPATCHED) { pull.rejections().first() }
                    RawPeer(url).use { silent ->
                        silent.hear(8) shouldBe PULL_SAYS
                        silent.hearsTheEnd() shouldBe true
                    }
                    told.await() shouldBe "its handshake was not complete within 2s"
                    pull.close()
                }
            }

            test("$row: too many who are silent are not let in") {
                live {
                    val policy = SocketPolicy(handshakes = 4, handshakeTimeout = 60.seconds)
                    val pull = openPullSocket("pull", policy, row.transports)
                    val url = pull.bind(row.url()).url
                    val told = async(start = CoroutineStart.UNDISPATCHED) {
                        pull.rejections().first { "no more are let in" in it }
                    }
                    val silent = List(4) { RawPeer(url) }
                    silent.forEach { it.hear(8) shouldBe PULL_SAYS }
                    RawPeer(url).use { it.hearsTheEnd() shouldBe true }
                    told.await() shouldContain "4 peers have not completed their handshake yet"
                    silent.forEach { it.close() }
                    val push = openPushSocket("push", transports = row.transports)
                    push.connect(url)
                    push.send(bytes("honest"))
                    pull.receive().decodeToString() shouldBe "honest"
                    push.closeAll(pull)
                }
            }

            test("$row: a length of 2^63 ends the connection before anything is allocated for it") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val url = pull.bind(row.url()).url
                    for (length in listOf(
                        "80 00 00 00 00 00 00 00",
                        "ff ff ff ff ff ff ff ff",
                        "00 00 00 00 00 10 00 01",
                    )) {
                        val told = async(start = CoroutineStart.UNDISPATCHED) { pull.ends().first() }
                        RawPeer(url).use { peer ->
                            // Heard first: the reset that may end it takes away what has come and was not read.
                            peer.hear(8) shouldBe PULL_SAYS
                            peer.say("$PUSH_SAYS $typed $length")
                            peer.hearsTheEnd() shouldBe true
                        }
                        told.await() shouldContain "was announced, at most 1048576 are received"
                    }
                    pull.close()
                }
            }

            test("$row: a message that is announced and never comes costs its peer nothing but its pipe") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val url = pull.bind(row.url()).url
                    val told = async(start = CoroutineStart.UNDISPATCHED) { pull.ends().first() }
                    RawPeer(url).use { peer ->
                        peer.say("$PUSH_SAYS $typed 00 00 00 00 00 00 00 01 61 $typed 00 00 00 00 00 10 00 00 62 62")
                        pull.receive().decodeToString() shouldBe "a"
                        peer.hear(8)
                    }
                    told.await() shouldContain "within a message"
                    pull.counters.run { listOf(received, delivered, queued) } shouldBe listOf(1L, 1L, 0L)
                    pull.close()
                }
            }

            test("$row: a flood of empty messages waits in the network, and all of them arrive") {
                live {
                    val count = 200_000
                    val pull = openPullSocket("pull", transports = row.transports)
                    RawPeer(pull.bind(row.url()).url).use { peer ->
                        val flood = hex("$typed 00 00 00 00 00 00 00 00")
                        val sending = async {
                            peer.say(PUSH_SAYS)
                            val many = ByteArray(flood.size * 1000) { flood[it % flood.size] }
                            repeat(count / 1000) { peer.say(many) }
                        }
                        pull.receive().size shouldBe 0
                        // A read's worth, and what was there before: never all of it.
                        pull.counters.queued shouldBeLessThan 4 * 65_536L / 8
                        repeat(count - 1) { pull.receive().size shouldBeLessThan 1 }
                        sending.await()
                    }
                    pull.close()
                }
            }

            test("$row: a request without a way back ends its connection and is counted") {
                live {
                    val rep = openRepSocket("rep", transports = row.transports)
                    val url = rep.bind(row.url()).url
                    val told = async(start = CoroutineStart.UNDISPATCHED) { rep.ends().first() }
                    RawPeer(url).use { peer ->
                        peer.say("$REQ_SAYS $typed 00 00 00 00 00 00 00 04 00 00 00 01")
                        peer.hear(8)
                        peer.hearsTheEnd() shouldBe true
                    }
                    told.await() shouldBe "a message of 4 bytes is too short for its header"
                    rep.counters.droppedIn shouldBe mapOf(DropReason.Malformed to 1L)
                    RawPeer(url).use { peer ->
                        peer.say("$REQ_SAYS $typed 00 00 00 00 00 00 00 0a 00 00 00 07 80 00 00 01 68 69")
                        rep.receive().run {
                            body.decodeToString() shouldBe "hi"
                            reply(bytes("ho"))
                        }
                        peer.hear(8)
                        peer.hear(typed.length / 3 + 18) shouldBe
                            "${typed}00 00 00 00 00 00 00 0a 00 00 00 07 80 00 00 01 68 6f"
                    }
                    rep.close()
                }
            }
        }

        test("a message of a type that nobody knows ends an IPC connection") {
            live {
                val row = rows.first { it.name.startsWith("ipc") }
                val pull = openPullSocket("pull", transports = row.transports)
                val told = async(start = CoroutineStart.UNDISPATCHED) { pull.ends().first() }
                RawPeer(pull.bind(row.url()).url).use { peer ->
                    peer.say("$PUSH_SAYS 02 00 00 00 00 00 00 00 00")
                    peer.hear(8)
                    peer.hearsTheEnd() shouldBe true
                }
                told.await() shouldBe "a message of type 2, only 1 is known"
                pull.close()
            }
        }
    })

private fun MessageSocket.rejections() = notices.mapNotNull { (it as? SocketNotice.PeerRejected)?.reason }

private fun MessageSocket.ends() = notices.mapNotNull { (it as? SocketNotice.PipeClosed)?.reason }.map { it }

package dev.carom.sockets

import dev.carom.pool.testkit.pass
import dev.carom.pool.testkit.settle
import dev.carom.sockets.transport.End
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transports
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.seconds

private const val URL = "staged://here:1"

/** A pipe is given up before it says its handshake, or not for being slow: what its peer sends then is not thrown away. */
class HandshakeLimitTest :
    FunSpec({
        val limits = SocketPolicy(connectTimeout = 1.seconds, handshakeTimeout = 3.seconds)

        class World(private val scope: TestScope) {
            val staged = StagedTransport()
            val push = scope.virtualPush(limits, Transports(staged))
            val pull = scope.virtualPull(limits, Transports(staged))
            val rejections = scope.async(start = CoroutineStart.UNDISPATCHED) {
                push.notices.mapNotNull { (it as? SocketNotice.PeerRejected)?.reason }.toList()
            }
            val failures = scope.async(start = CoroutineStart.UNDISPATCHED) {
                pull.notices.mapNotNull { (it as? SocketNotice.ConnectFailed)?.cause?.message }.toList()
            }

            suspend fun begin(): Wire {
                push.bind(URL)
                pull.connect(URL)
                scope.settle()
                return staged.wires.single()
            }

            /** Somebody who does nothing but what the test does. */
            suspend fun accept(): Wire {
                push.bind(URL)
                staged.dial(SocketAddress.hostPort("staged", "here", 1), LinkOptions(), End())
                return staged.wires.single()
            }

            suspend fun end() {
                push.close(0)
                pull.close(0)
            }
        }

        fun world(act: suspend TestScope.(World) -> Unit) = runTest { act(World(this)) }

        test("a link that opens just in time is used, although the connect timeout passes before the peer is heard") {
            world { world ->
                val wire = world.begin()
                pass(999)
                wire.open()
                wire.toFar()
                world.push.trySend(bytes("sent at once")) shouldBe true
                pass(2_500)
                wire.toNear()
                world.pull.receive().decodeToString() shouldBe "sent at once"
                world.push.counters.run { listOf(accepted, sent, unsent) } shouldBe listOf(1L, 1L, 0L)
                world.end()
                world.failures.await() shouldBe emptyList()
            }
        }

        test("a link that opens too late says nothing, so that nobody sends to it") {
            world { world ->
                val wire = world.begin()
                pass(1_000)
                wire.near.closed shouldBe true
                wire.open()
                wire.near.unwritten shouldBe 0
                settle()
                world.push.trySend(bytes("to nobody")) shouldBe false
                world.end()
                world.failures.await() shouldBe listOf("$URL: it was not open within 1s")
            }
        }

        test("who accepts waits for the handshake of its peer from when its own is said, not from when it came") {
            world { world ->
                val wire = world.accept()
                pass(2_999)
                wire.far.open()
                pass(2_999)
                wire.far.hear(hex("00 53 50 00 00 51 00 00"))
                world.push.awaitPipes(1)
                world.end()
                world.rejections.await() shouldBe emptyList()
            }
        }

        test("silence after one's own handshake is waited for no longer than the limit, on both sides") {
            world { world ->
                val wire = world.begin()
                wire.open()
                pass(2_999)
                wire.run { listOf(near.closed, far.closed) } shouldBe listOf(false, false)
                pass(1)
                wire.run { listOf(near.closed, far.closed) } shouldBe listOf(true, true)
                world.end()
                world.rejections.await() shouldBe listOf("its handshake was not complete within 3s")
                world.failures.await() shouldBe listOf("$URL: its handshake was not complete within 3s")
            }
        }

        test("a peer that never opens is given up at the limit") {
            world { world ->
                val wire = world.accept()
                pass(3_000)
                wire.far.closed shouldBe true
                world.end()
                world.rejections.await() shouldBe listOf("it was not open within 3s")
            }
        }
    })

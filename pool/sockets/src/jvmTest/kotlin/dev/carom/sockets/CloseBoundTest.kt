package dev.carom.sockets

import dev.carom.pool.Resolver
import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import dev.carom.pool.testkit.TestCertificates
import dev.carom.pool.testkit.settle
import dev.carom.sockets.transport.End
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.TlsTransports
import dev.carom.sockets.transport.Transports
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainOnly
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private const val URL = "staged://here:1"
private const val LINGER = 300L

/** AT-29. */
private const val MOST = LINGER + 100
private const val HELLO = "00 53 50 00 00 10 00 00"

/**
 * Whatever peers, networks and resolvers do, closing takes the linger time and at most 100 ms more, in virtual time, and a hundred calls of
 * each kind that wait fail at once.
 */
@OptIn(ExperimentalCoroutinesApi::class)
class CloseBoundTest :
    FunSpec({
        // Nothing else ends these worlds: all other limits are far away.
        val patient = SocketPolicy(
            connectTimeout = 1.hours,
            handshakeTimeout = 1.hours,
            drainTimeout = 1.hours,
            link = LinkOptions(sendBuffer = 64),
        )

        class World(private val scope: TestScope) {
            val staged = StagedTransport()
            val pair = scope.virtualPair(patient, Transports(staged))

            suspend fun accept(): Wire {
                pair.bind(URL)
                staged.dial(staged.address(URL), patient.link, End())
                return staged.wires.single()
            }

            suspend fun attach(): StagedLink = accept().far.also {
                it.open()
                it.hear(hex(HELLO))
                pair.awaitPipes(1)
            }

            /** Closes, and returns when it was done, in milliseconds from now. */
            suspend fun close(socket: MessageSocket = pair): Long {
                scope.settle()
                val began = scope.currentTime
                socket.close(LINGER)
                return scope.currentTime - began
            }

            /**
             * The same where real threads have a part in it, and virtual time would run away from them: as long as there
             * is something to do now it stands still. After ten seconds of theirs they have had their chance.
             */
            suspend fun closeBeside(socket: MessageSocket): Long {
                scope.settle()
                val began = scope.currentTime
                val patience = TimeSource.Monotonic.markNow() + 10.seconds
                val standstill = scope.launch { while (patience.hasNotPassedNow()) yield() }
                socket.close(LINGER)
                standstill.cancel()
                return scope.currentTime - began
            }

            private fun <T> waiting(call: suspend () -> T): List<Deferred<Throwable?>> = List(100) {
                scope.async(start = CoroutineStart.UNDISPATCHED) { runCatching { call() }.exceptionOrNull() }
            }

            /** A hundred sends and a hundred receives, which fail when it closes. */
            suspend fun whileMuchWaits(sends: Boolean = true, act: suspend () -> Unit) {
                val began = scope.currentTime
                val calls = waiting { pair.receive() } + if (sends) waiting { pair.send(ByteArray(9)) } else emptyList()
                val failed = calls.map { call ->
                    scope.async(start = CoroutineStart.UNDISPATCHED) { call.await() to scope.currentTime - began }
                }
                scope.settle()
                act()
                val (reasons, times) = failed.map { it.await() }.unzip()
                reasons.map { it?.let { it::class } } shouldContainOnly listOf(SocketException.Closed::class)
                times shouldContainOnly listOf(0L)
            }
        }

        fun world(act: suspend TestScope.(World) -> Unit) = runTest { act(World(this)) }

        test("nobody is there") {
            world { world -> world.whileMuchWaits { world.close() shouldBe 0 } }
        }

        test("a peer that never reads: what it did not get is counted") {
            world { world ->
                val link = world.attach()
                while (world.pair.trySend(ByteArray(9))) settle()
                val accepted = world.pair.counters.accepted
                world.whileMuchWaits {
                    world.close() shouldBe LINGER
                    link.closed shouldBe true
                }
                world.pair.close(0).run { listOf(unsent > 0, forced == 1) } shouldBe listOf(true, true)
                world.pair.counters.run { sent + droppedOut.values.sum() } shouldBe accepted
            }
        }

        test("a peer that never answers the end") {
            world { world ->
                val link = world.attach()
                world.whileMuchWaits(sends = false) {
                    world.close() shouldBe LINGER
                    link.run { listOf(finished, closed) } shouldBe listOf(true, true)
                }
            }
        }

        test("peers in the middle of their handshake") {
            world { world ->
                val link = world.accept().far
                link.open()
                link.hear(hex(HELLO).copyOf(5))
                world.whileMuchWaits { world.close() shouldBeLessThanOrEqual MOST }
                link.closed shouldBe true
            }
        }

        test("a peer that was dialed and says nothing") {
            world { world ->
                world.pair.connect(URL)
                settle()
                val link = world.staged.wires.single().near
                link.open()
                world.whileMuchWaits { world.close() shouldBeLessThanOrEqual MOST }
                link.closed shouldBe true
            }
        }

        test("a connection that never opens") {
            world { world ->
                world.pair.connect(URL)
                settle()
                world.whileMuchWaits { world.close() shouldBeLessThanOrEqual MOST }
                world.staged.wires.single().near.closed shouldBe true
            }
        }

        test("a resolver that never answers") {
            world { world ->
                world.pair.connect(Resolver { flow { awaitCancellation() } }, "staged")
                world.whileMuchWaits { world.close() shouldBeLessThanOrEqual MOST }
            }
        }

        test("a resolver that cannot even be stopped") {
            world { world ->
                val stop = CompletableDeferred<Unit>()
                world.pair.connect(Resolver { flow { withContext(NonCancellable) { stop.await() } } }, "staged")
                world.whileMuchWaits { world.close() shouldBeLessThanOrEqual MOST }
                stop.complete(Unit)
            }
        }

        test("an endpoint whose resolver cannot even be stopped: drainTimeout and linger bound it") {
            world { world ->
                val stop = CompletableDeferred<Unit>()
                val stubborn = Resolver { flow { withContext(NonCancellable) { stop.await() } } }
                val endpoint = world.pair.connect(stubborn, "staged")
                settle()
                val began = currentTime
                endpoint.close()
                val bound = (patient.drainTimeout + patient.linger).inWholeMilliseconds
                currentTime - began shouldBeLessThanOrEqual bound + 100
                stop.complete(Unit)
                world.close()
            }
        }

        for (dials in listOf(true, false)) {
            test("TLS peers in the middle of their handshake, ${if (dials) "dialed" else "accepted"}") {
                runTest {
                    val staged = StagedTransport()
                    val secured = Transports(TlsTransports.over(staged, tls))
                    val pair = virtualPair(patient, secured)
                    val world = World(this)
                    val wire = if (dials) {
                        pair.connect("tls+$URL")
                        settle()
                        staged.wires.single().also { it.near.open() }
                    } else {
                        pair.bind("tls+$URL")
                        staged.dial(staged.address(URL), patient.link, End())
                        staged.wires.single().also { it.far.open() }
                    }
                    world.closeBeside(pair) shouldBeLessThanOrEqual MOST
                    (if (dials) wire.near else wire.far).closed shouldBe true
                    world.pair.close(0)
                }
            }
        }
    })

private fun StagedTransport.address(url: String) = Transports(this).address(url, bind = false)

private val tls by lazy {
    val authority = TestCertificates("authority")
    val identity = authority.issue("here")
    TlsPolicy(
        trust = TlsTrust.certificates(listOf(authority.certificate)),
        key = TlsKey.of(identity.chain, identity.privateKey),
    )
}

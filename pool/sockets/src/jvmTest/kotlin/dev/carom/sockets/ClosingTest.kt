package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.launch

/** What closing leaves behind: nothing, and nothing undone; on every transport of every engine. */
class ClosingTest :
    FunSpec({
        extension(LeakCheckListener())

        for (row in rows) {
            test("$row: what was sent just before closing arrives, also at a slow reader") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val url = pull.bind(row.url()).url
                    repeat(30) { round ->
                        val push = openPushSocket("push", transports = row.transports)
                        push.connect(url)
                        push.send(bytes("one shot $round"))
                        val closing = async { push.close(60_000) }
                        pull.receive().decodeToString() shouldBe "one shot $round"
                        closing.await().run { listOf(unsent, forced.toLong()) } shouldBe listOf(0L, 0L)
                    }
                    val push = openPushSocket("push", transports = row.transports)
                    push.connect(url)
                    val sending = async {
                        repeat(1_600) { push.send(ByteArray(10_240)) }
                        push.close(60_000)
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

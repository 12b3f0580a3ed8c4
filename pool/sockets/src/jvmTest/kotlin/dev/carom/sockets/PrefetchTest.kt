package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe

/** What nobody receives is not read for ever: few large messages fill a queue as many small ones do. */
class PrefetchTest :
    FunSpec({
        extension(LeakCheckListener())

        for (row in rows) {
            test("$row: no more bytes wait to be received than the bound, and what one read brought") {
                live {
                    val policy = SocketPolicy(receiveQueue = 65_536, receiveQueueBytes = BOUND)
                    val pull = openPullSocket("pull", policy, row.transports)
                    val push = openPushSocket("push", transports = row.transports)
                    push.connect(pull.bind(row.url()).url)
                    push.awaitPipes(1)
                    var sent = 0L
                    // The system's buffers are full as well when this one is.
                    while (push.trySend(ByteArray(SIZE))) sent++
                    sent shouldBeGreaterThan 0
                    val read = 2L * (256 shl 10)
                    pull.counters.receivedBytes shouldBeLessThanOrEqual BOUND + read + SIZE
                    for (i in 1..sent) pull.receive().size shouldBe SIZE
                    pull.counters.run { listOf(received, delivered, queued) } shouldBe listOf(sent, sent, 0L)
                    push.close()
                    pull.close()
                }
            }
        }
    }) {
    private companion object {
        const val BOUND = 100_000
        const val SIZE = 1 shl 16
    }
}

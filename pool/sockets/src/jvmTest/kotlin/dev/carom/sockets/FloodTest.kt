package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

/** As much as goes, and then nothing. */
class FloodTest :
    FunSpec({
        extension(LeakCheckListener())

        for (row in rows) {
            test("$row: what is left when a flood ends comes too, though nothing follows it") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val push = openPushSocket("push", transports = row.transports)
                    push.connect(pull.bind(row.url()).url)
                    push.awaitPipes(1)
                    for (flood in 0 until FLOODS) {
                        val count = COUNT + flood
                        coroutineScope {
                            val sizes = async { (1..count).sumOf { pull.receive().size.toLong() } }
                            repeat(count) { push.send(ByteArray(SIZE + flood)) }
                            sizes.await() shouldBe count * (SIZE + flood).toLong()
                        }
                    }
                    push.close()
                    pull.close()
                }
            }

            test("$row: several who flood one socket at a time, and what each of them has left") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val push = openPushSocket("push", transports = row.transports)
                    push.connect(pull.bind(row.url()).url)
                    push.awaitPipes(1)
                    coroutineScope {
                        repeat(SENDERS) { launch { repeat(COUNT) { push.send(ByteArray(SIZE)) } } }
                        repeat(SENDERS * COUNT) { pull.receive().size shouldBe SIZE }
                    }
                    push.close().unsent shouldBe 0
                    pull.close()
                }
            }
        }
    }) {
    private companion object {
        const val FLOODS = 8
        const val COUNT = 2_000
        const val SIZE = 500
        const val SENDERS = 3
    }
}

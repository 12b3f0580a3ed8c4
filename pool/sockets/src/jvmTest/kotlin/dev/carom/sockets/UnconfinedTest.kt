package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch

/** Whoever waits undispatched is resumed on the engine's thread, and sends and receives from within it. */
class UnconfinedTest :
    FunSpec({
        extension(LeakCheckListener())

        for (row in rows) {
            test("$row: who sends and receives on the engine's thread is never left waiting") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val push = openPushSocket("push", transports = row.transports)
                    push.connect(pull.bind(row.url()).url)
                    push.awaitPipes(1)
                    for (size in listOf(64, 1_024, 40_000)) {
                        val count = 40_000_000 / (size + 1_000)
                        val sending = launch(Dispatchers.Unconfined) { repeat(count) { push.send(ByteArray(size)) } }
                        val receiving = launch(Dispatchers.Unconfined) {
                            repeat(count) { pull.receive().size shouldBe size }
                        }
                        sending.join()
                        receiving.join()
                    }
                    push.close()
                    pull.close()
                }
            }
        }
    })

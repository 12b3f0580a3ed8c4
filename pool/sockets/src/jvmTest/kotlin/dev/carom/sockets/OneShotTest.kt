package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.withContext
import java.nio.file.Path

/** A process that sends and exits at once delivers everything: what close is for. */
class OneShotTest :
    FunSpec({
        extension(LeakCheckListener())

        for (row in rows.filter { it.isPlain }) {
            test("$row: processes that send and exit deliver all they sent") {
                live {
                    val pull = openPullSocket("pull", transports = row.transports)
                    val url = pull.bind(row.url()).url
                    for (count in listOf(1, 1, 5_000)) {
                        val exit = async { run(url, count) }
                        List(count) { pull.receive().decodeToString() } shouldBe List(count) { "message $it" }
                        exit.await() shouldBe 0
                    }
                    pull.close()
                }
            }
        }
    })

private suspend fun run(url: String, count: Int): Int = withContext(Dispatchers.IO) {
    val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
    val flags = listOf("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", System.getProperty("java.class.path"))
    ProcessBuilder(listOf(java) + flags + listOf(OneShot::class.java.name, url, "$count")).inheritIO().start().waitFor()
}

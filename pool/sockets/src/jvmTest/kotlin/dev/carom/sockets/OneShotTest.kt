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

        for (count in listOf(1, 5_000)) {
            test(
                "a process that sends $count to each of ${rows.count {
                    it.isPlain
                }} transports and exits delivers all",
            ) {
                live {
                    val pulls = rows.filter { it.isPlain }.map { row ->
                        openPullSocket("pull at $row", transports = row.transports).let { it to it.bind(row.url()).url }
                    }
                    val exit = async { run(count, pulls.map { it.second }) }
                    for ((pull, _) in pulls) {
                        List(count) { pull.receive().decodeToString() } shouldBe List(count) { "message $it" }
                    }
                    exit.await() shouldBe 0
                    for ((pull, _) in pulls) pull.close()
                }
            }
        }
    })

private suspend fun run(count: Int, urls: List<String>): Int = withContext(Dispatchers.IO) {
    val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
    val flags = listOf("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", System.getProperty("java.class.path"))
    val command = listOf(java) + flags + OneShot::class.java.name + "$count" + urls
    ProcessBuilder(command).inheritIO().start().waitFor()
}

package dev.carom.samples.bank

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.time.Duration
import kotlin.time.Duration.Companion.minutes

class BankSpec :
    StringSpec({
        timeout = 5.minutes.inWholeMilliseconds

        "no money is lost, nobody is lied to" {
            val shown = ByteArrayOutputStream()
            withServer { server ->
                val verdict = withContext(Dispatchers.Default) { Demo(server, PrintStream(shown), Pace.TEST).run() }
                withClue("$verdict\n$shown") { verdict.missed shouldBe emptyList() }
            }
        }

        "the same from Java" {
            withServer { server ->
                val verdict = withContext(Dispatchers.IO) {
                    BankFromJava.run(server, Duration.ofSeconds(1), Duration.ofSeconds(2))
                }
                withClue("$verdict") { verdict.missed shouldBe emptyList() }
            }
        }
    })

/** Where no server can be started, that is said, and nothing is tried. */
internal suspend fun withServer(block: suspend (Server) -> Unit) {
    Server.open()?.use { block(it) }
}

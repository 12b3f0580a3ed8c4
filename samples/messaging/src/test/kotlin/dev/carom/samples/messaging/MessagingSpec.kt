package dev.carom.samples.messaging

import dev.carom.samples.messaging.demo.Demo
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class MessagingSpec :
    StringSpec({
        timeout = 5.minutes.inWholeMilliseconds

        "every promise of the demo is kept" {
            val shown = ByteArrayOutputStream()
            val demo = Demo(PrintStream(shown), look = 100.milliseconds, bound = 30.seconds)
            val verdict = withContext(Dispatchers.Default) { demo.run() }
            withClue("$verdict\n$shown") { verdict.missed shouldBe emptyList() }
        }

        "the same from Java" {
            MessagingFromJava.main(emptyArray())
        }
    })

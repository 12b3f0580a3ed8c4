package dev.carom.samples.cluster

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.minutes

class ClusterSpec :
    StringSpec({
        timeout = 20.minutes.inWholeMilliseconds

        "every promise of the cluster is kept" {
            val said = ConcurrentLinkedQueue<String>()
            val verdict = Demo(said::add, patience = 4).run()
            println(verdict)
            withClue("$verdict\n${said.joinToString("\n")}") { verdict.missed shouldBe emptyList() }
        }
    })

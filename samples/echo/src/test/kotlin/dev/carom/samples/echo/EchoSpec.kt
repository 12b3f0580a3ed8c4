package dev.carom.samples.echo

import dev.carom.pool.Backend
import dev.carom.pool.dns.DnsConfig
import dev.carom.pool.fixedResolver
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import kotlin.time.Duration.Companion.minutes

class EchoSpec :
    StringSpec({
        timeout = 10.minutes.inWholeMilliseconds

        "every promise of the demo is kept" {
            val shown = ByteArrayOutputStream()
            val verdict = Demo(Screen(PrintStream(shown), live = false), Pace.TEST).run()
            withClue("$verdict\n$shown") { verdict.missed shouldBe emptyList() }
        }

        "whoever plays may take a step and quit" {
            val shown = ByteArrayOutputStream()
            val typed = sequenceOf("grow", "dance", "shrink", "quit")
            val verdict = Demo(Screen(PrintStream(shown), live = false), Pace.TEST).last(typed)
            withClue("$verdict\n$shown") {
                verdict.missed shouldBe emptyList()
                ("unknown: dance" in shown.toString()) shouldBe true
            }
        }

        "the same from Java" {
            EchoFromJava.main(emptyArray())
        }

        "what the README shows works" {
            EchoZone().use { zone ->
                EchoBackend("echo1").use { backend ->
                    zone.list(backend)
                    val config = DnsConfig(listOf(zone.address))
                    Snippets(config).echo("hello") shouldBe "hello"
                    SnippetsJava.echo(config, "hello".toByteArray()) shouldBe "hello"
                    SnippetsInFull.policy.maxSlots shouldBe 64
                    SnippetsInFull.persistent(fixedResolver(Backend("echo1", "127.0.0.1", backend.port))) shouldBe
                        "hello"
                }
            }
        }
    })

package dev.carom.samples.messaging

import dev.carom.pool.Backend
import dev.carom.pool.fixedResolver
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.minutes

class SnippetsSpec :
    StringSpec({
        timeout = 1.minutes.inWholeMilliseconds

        "what the README shows of sockets asks and answers" {
            Snippets.run {
                coroutineScope {
                    val port = answerAt("tcp://127.0.0.1:0").url.substringAfterLast(':').toInt()
                    val service = fixedResolver(Backend("prices", "127.0.0.1", port))
                    ask(service, "tea") shouldBe "tea: 3.50"
                    withContext(Dispatchers.IO) { SnippetsJava.ask(service, "milk") } shouldBe "milk: 3.50"
                    coroutineContext.cancelChildren()
                }
            }
        }
    })

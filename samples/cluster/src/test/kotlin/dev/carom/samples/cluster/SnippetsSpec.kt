package dev.carom.samples.cluster

import dev.carom.gossip.BlockingGossip
import dev.carom.gossip.GossipKey
import dev.carom.gossip.net.NetPolicy
import dev.carom.pool.use
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.ktor.utils.io.readLine
import io.ktor.utils.io.writeStringUtf8
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.minutes

class SnippetsSpec :
    StringSpec({
        timeout = 5.minutes.inWholeMilliseconds

        "what the README shows of gossip finds a member's service" {
            val key = GossipKey(ByteArray(32) { it.toByte() })
            WhoServer("own").use { server ->
                Snippets(server.port).run {
                    coroutineScope {
                        val seed = join(NetPolicy("127.0.0.1", port = 0), key)
                        val member =
                            join(NetPolicy("127.0.0.1", port = 0, seeds = listOf("${seed.identity.address()}")), key)
                        seed.members.first { it.size == 1 }
                        val pool = openWeb(member)
                        pool.use {
                            it.output.writeStringUtf8("who?\n")
                            it.output.flush()
                            it.input.readLine()
                        } shouldBe "own"
                        pool.close()
                        withContext(Dispatchers.IO) {
                            val blocking = SnippetsJava.openWeb(BlockingGossip.of(member))
                            blocking.claim().close()
                            blocking.close()
                        }
                        member.leave()
                        seed.close()
                    }
                }
            }
        }
    })

package dev.carom.samples.messaging

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipKey
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.KeyRing
import dev.carom.gossip.NodeId
import dev.carom.gossip.PeriodicPolicy
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.NetPolicy
import dev.carom.gossip.net.openNetGossip
import dev.carom.gossip.resolver.DrainPolicy
import dev.carom.gossip.resolver.Offer
import dev.carom.gossip.resolver.Offering
import dev.carom.gossip.resolver.resolver
import dev.carom.sockets.ReqSocket
import dev.carom.sockets.openRepSocket
import dev.carom.sockets.openReqSocket
import dev.carom.sockets.serve
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

class GossipSpec :
    StringSpec({
        timeout = 1.minutes.inWholeMilliseconds

        "a socket asks whoever offers the service: one joins, one leaves, one dies, and the socket stays" {
            withContext(Dispatchers.Default) {
                coroutineScope {
                    val asker = openMember()
                    val seed = "${asker.identity.address()}"
                    val req = openReqSocket("asking")
                    req.connect(asker.resolver(SERVICE))
                    val one = Backend(this, "one", seed)
                    req.answeredBy("one")
                    val two = Backend(this, "two", seed)
                    val three = Backend(this, "three", seed)
                    req.answeredBy("one", "two", "three")
                    one.leave()
                    req.answeredBy("two", "three")
                    three.die()
                    req.answeredBy("two")
                    two.die()
                    req.close().unsent shouldBe 0
                    asker.close()
                }
            }
        }
    }) {
    /** Answers every question with its name. */
    private class Backend(scope: CoroutineScope, private val name: String, seed: String) {
        private lateinit var gossip: Gossip<NodeId>
        private lateinit var offering: Offering<NodeId>
        private val job: Job = scope.launch {
            val rep = openRepSocket(name)
            val port = rep.bind("tcp://127.0.0.1:0").url.substringAfterLast(':').toInt()
            gossip = openMember(seed)
            offering = Offering(gossip)
            offering.offer(listOf(Offer(SERVICE, port)))
            rep.serve { name.encodeToByteArray() }
        }

        suspend fun leave() {
            offering.leave(DrainPolicy(notice = 200.milliseconds))
            job.cancelAndJoin()
        }

        /** Without a word to anybody. */
        suspend fun die() = job.cancelAndJoin()
    }

    private companion object {
        const val SERVICE = "prices"
        val KEY = GossipKey(ByteArray(32) { it.toByte() })
        val POLICY = GossipPolicy(
            SwimPolicy(
                probePeriod = 200.milliseconds,
                probeTimeout = 80.milliseconds,
                suspicionMultiplier = 20,
                gossip = PeriodicPolicy(50.milliseconds, 3),
            ),
        )

        suspend fun CoroutineScope.openMember(vararg seeds: String): Gossip<NodeId> {
            val net = NetPolicy("127.0.0.1", port = 0, seeds = seeds.toList())
            return openNetGossip(net, GossipSecurity.encrypted(KeyRing(KEY), "prices"), POLICY)
        }

        /** All of [names], in turn, and nobody else. */
        suspend fun ReqSocket.answeredBy(vararg names: String) {
            pipes.first { it.size == names.size }
            List(ROUNDS) { request(ByteArray(0)).decodeToString() }.toSet() shouldBe names.toSet()
        }

        const val ROUNDS = 12
    }
}

package dev.carom.pool

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random

class PoolStressTest :
    FunSpec({
        listOf(3 to "one word", 100 to "several words").forEach { (slots, words) ->
            test(
                "on real threads, under random cancels and moving backends, no connection is used twice or lost ($words)",
            ) {
                withContext(Dispatchers.Default) {
                    val network = FakeNetwork()
                    val backends = (1..5).map { backend("$it") }
                    val listed = MutableStateFlow(backends.toSet())
                    val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
                    val policy = PoolPolicy(spares = slots / 2, maxSlots = slots, backoff = BackoffPolicy())
                    val pool = scope.openPool("stress", listed.asResolver(), network, policy)
                    val uses = AtomicInteger()
                    coroutineScope {
                        repeat(200) { n ->
                            launch {
                                val random = Random(n)
                                repeat(100) { churn(pool, random, uses) }
                            }
                        }
                        launch {
                            val random = Random(-1)
                            repeat(200) {
                                listed.value =
                                    backends.filter { random.nextInt(3) > 0 }.toSet().ifEmpty { backends.toSet() }
                                network.live.randomOrNull(random)?.takeIf { random.nextBoolean() }?.hangUp(null)
                                repeat(50) { yield() }
                            }
                            listed.value = backends.toSet()
                        }
                    }
                    uses.get() shouldBeGreaterThan 5_000
                    val all = List(slots) { pool.claim() }
                    all.map { it.connection.id }.toSet().size shouldBe slots
                    all.forEach { it.close() }
                    pool.close(0).stuck shouldBe 0
                    network.live.shouldBeEmpty()
                    network.opened shouldBe network.closed
                    scope.coroutineContext[Job]!!.children.filterNot { it.isCompleted }.toList().shouldBeEmpty()
                    scope.coroutineContext[Job]!!.cancelAndJoin()
                }
            }
        }
    })

private suspend fun churn(pool: Pool<FakeConnection>, random: Random, uses: AtomicInteger) = coroutineScope {
    val claimer = launch {
        val claim = pool.claim()
        try {
            val connection = claim.connection
            connection.enter()
            uses.incrementAndGet()
            try {
                repeat(random.nextInt(3)) { yield() }
            } finally {
                connection.leave()
            }
        } finally {
            if (random.nextInt(20) == 0) claim.discard() else claim.close()
        }
    }
    if (random.nextInt(3) == 0) {
        repeat(random.nextInt(4)) { yield() }
        claimer.cancel()
    }
}

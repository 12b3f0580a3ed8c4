package dev.carom.pool

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

private class Wire(val backend: Backend) {
    val closed = AtomicBoolean()
    val gone = CompletableDeferred<Unit>()
}

private class Wires : Connector<Wire> {
    val opened = AtomicInteger()
    val closed = AtomicInteger()

    override suspend fun connect(backend: Backend): Wire {
        yield()
        opened.incrementAndGet()
        return Wire(backend)
    }

    override suspend fun isValid(connection: Wire): Boolean = !connection.closed.get()

    override suspend fun awaitClosed(connection: Wire) = connection.gone.await()

    override suspend fun close(connection: Wire) {
        check(connection.closed.compareAndSet(false, true)) { "closed twice" }
        closed.incrementAndGet()
    }
}

class SetStressTest :
    FunSpec({
        val backends = (0 until 6).map { backend("b$it", priority = it / 5) }
        val policy = SetPolicy(
            checkInterval = 1.milliseconds,
            drainTimeout = 5.minutes,
            replaceWithin = 1.milliseconds,
            leaseTimeout = 1.minutes,
            backoff = BackoffPolicy(start = 1.milliseconds, max = 2.milliseconds, memory = 2.milliseconds),
        )

        test("on many threads, nothing that is leased is closed while backends come and go and peers hang up") {
            val wires = Wires()
            withContext(Dispatchers.Default) {
                val listed = MutableStateFlow(backends.toSet())
                val set = openConnectionSet("stress", listed.asResolver(), wires, policy)
                coroutineScope {
                    val chaos = launch {
                        val random = Random(1)
                        while (true) {
                            listed.value = backends.filter { random.nextInt(3) > 0 }.toSet()
                            yield()
                            if (random.nextBoolean()) {
                                set.connections.value.randomOrNull()?.connection?.gone?.complete(
                                    Unit,
                                )
                            }
                            yield()
                        }
                    }
                    val users = List(8) {
                        launch {
                            repeat(2_000) {
                                set.use { wire ->
                                    check(!wire.closed.get()) { "leased, but closed" }
                                    yield()
                                    check(!wire.closed.get()) { "closed under its holder" }
                                }
                            }
                        }
                    }
                    users.joinAll()
                    chaos.cancelAndJoin()
                }
                set.close(60_000).toString().substringAfter(',') shouldBe " forced 0, refused 0 waiting, 0 stuck"
                set.connections.value.shouldBeEmpty()
            }
            wires.closed.get() shouldBe wires.opened.get()
        }

        test("on many threads, each sender's messages are written in its order, none twice and none lost") {
            val wires = Wires()
            val written = ConcurrentLinkedQueue<Pair<Int, Int>>()
            withContext(Dispatchers.Default) {
                val listed = MutableStateFlow(setOf(backends[0]))
                val writer = MessageWriter<Wire, Pair<Int, Int>> { wire, message ->
                    check(!wire.closed.get())
                    written += message
                }
                val policy = PersistentPolicy(
                    maxMessages = 16,
                    connection = SetPolicy(
                        target = 1,
                        maximum = 1,
                        drainTimeout = 5.minutes,
                        backoff = policy.backoff,
                    ),
                )
                val link = openPersistent("stress", listed.asResolver(), wires, writer, policy)
                coroutineScope {
                    val moving = launch {
                        var turn = 0
                        while (true) {
                            listed.value = setOf(backends[turn++ % 5])
                            yield()
                        }
                    }
                    val senders = List(8) { sender ->
                        launch {
                            repeat(1_000) {
                                if (it % 3 == 0) link.send(sender to it) else link.put(sender to it)
                            }
                        }
                    }
                    senders.joinAll()
                    moving.cancelAndJoin()
                }
                link.close(60_000).left shouldBe 0
            }
            for (sender in 0 until 8) {
                written.filter { it.first == sender }.map { it.second } shouldContainExactly List(1_000) { it }
            }
            wires.closed.get() shouldBe wires.opened.get()
        }
    })

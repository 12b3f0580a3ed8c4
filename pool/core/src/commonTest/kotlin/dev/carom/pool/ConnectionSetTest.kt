package dev.carom.pool

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlin.coroutines.ContinuationInterceptor
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Runs [block] in virtual time with a set, closes the set and checks that nothing is left. */
fun setTest(
    backends: Set<Backend>,
    policy: SetPolicy = SetPolicy(),
    network: FakeNetwork = FakeNetwork(),
    resolver: (MutableStateFlow<Set<Backend>>) -> Resolver = { it.asResolver() },
    block: suspend SetTestWorld.() -> Unit,
) = runTest {
    val listed = MutableStateFlow(backends)
    val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
    val set = scope.openConnectionSet("db", resolver(listed), network, policy, testScheduler.timeSource, Random(1))
    SetTestWorld(this, set, network, listed, scope).block()
    set.close(0)
    network.live.shouldBeEmpty()
    network.closed shouldBe network.opened
    scope.coroutineContext[Job]!!.children.toList().shouldBeEmpty()
    scope.coroutineContext[Job]!!.cancelAndJoin()
}

class SetTestWorld(
    val test: TestScope,
    val set: ConnectionSet<FakeConnection>,
    val network: FakeNetwork,
    val listed: MutableStateFlow<Set<Backend>>,
    val scope: CoroutineScope,
) {
    val live: List<Backend> get() = set.connections.value.map { it.backend }

    fun after(time: Duration) {
        test.advanceTimeBy(time)
        test.runCurrent()
    }

    fun on(backend: Backend): SetConnection<FakeConnection> = set.connections.value.single { it.backend == backend }
}

class ConnectionSetTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val c = backend("c")
        val moved = a.copy(host = "10.0.0.99")

        test("opening does nothing yet; then every backend has one connection, shared by all") {
            setTest(setOf(a, b)) {
                network.opened shouldBe 0
                set.awaitReady(2)
                live shouldContainExactlyInAnyOrder listOf(a, b)
                val leases = List(10) { set.lease() }
                leases.count { it.source.backend == a } shouldBe 5
                leases.map { it.connection }.toSet().shouldHaveSize(2)
                leases.forEach { it.close() }
                leases.forEach { it.close() }
                on(a).leases shouldBe 0
                shouldThrow<IllegalStateException> { leases[0].connection }.message!! shouldContain "has ended"
                network.opened shouldBe 2
            }
        }

        test("leases are given by weight") {
            setTest(setOf(backend("a", weight = 3), backend("b", weight = 1))) {
                set.awaitReady(2)
                val leases = List(8) { set.lease() }
                leases.count { it.source.backend.name == "a" } shouldBe 6
                leases.forEach { it.close() }
            }
        }

        test("one user after the other goes to all in turn, by weight; one that came later does not get them all") {
            val (heavy, light, late) = listOf(backend("a", weight = 3), backend("b"), backend("c", weight = 3))
            setTest(setOf(heavy, light)) {
                set.awaitReady(2)
                suspend fun turns(count: Int) = List(count) { set.use { it.backend } }.groupingBy { it }.eachCount()
                turns(400) shouldBe mapOf(heavy to 300, light to 100)
                listed.value = setOf(heavy, light, late)
                set.awaitReady(3)
                turns(70) shouldBe mapOf(heavy to 30, light to 10, late to 30)
            }
        }

        test("a swap is make-before-break, also while the new address takes its time") {
            val network = FakeNetwork().apply { connectDelay = 2.seconds }
            setTest(setOf(a), network = network) {
                set.awaitReady()
                listed.value = setOf(moved)
                repeat(20) {
                    set.connections.value.size shouldBe 1
                    after(100.milliseconds)
                }
                after(1.milliseconds)
                live shouldContainExactly listOf(moved)
                network.live(a) shouldBe 0
            }
        }

        test("changes: all there are first, then each Added before the Removed it makes room for") {
            setTest(setOf(a)) {
                set.awaitReady()
                set.changes.test {
                    awaitItem().shouldBeInstanceOf<SetChange.Added<FakeConnection>>().connection.backend shouldBe a
                    listed.value = setOf(moved)
                    awaitItem().shouldBeInstanceOf<SetChange.Added<FakeConnection>>().connection.backend shouldBe moved
                    val removed = awaitItem().shouldBeInstanceOf<SetChange.Removed<FakeConnection>>()
                    removed.connection.backend shouldBe a
                    removed.reason shouldBe Removal.Unlisted
                    set.close(0)
                    awaitItem().shouldBeInstanceOf<SetChange.Removed<FakeConnection>>().reason shouldBe
                        Removal.SetClosed
                    awaitComplete()
                }
            }
        }

        test("a slow collector of changes misses no Removed, and no Removed comes without its Added") {
            setTest(setOf(a, b, c)) {
                set.awaitReady(3)
                val seen = mutableListOf<SetChange<FakeConnection>>()
                val collecting = test.launch {
                    set.changes.collect {
                        seen += it
                        delay(70.milliseconds)
                    }
                }
                val random = Random(3)
                repeat(100) {
                    after(random.nextInt(100).milliseconds)
                    set.connections.value.randomOrNull(random)?.fail(Refused("reset"))
                    if (it % 7 == 0) listed.value = setOf(a, b, c).filter { random.nextBoolean() }.toSet()
                }
                set.close(0)
                collecting.join()
                val added = seen.filterIsInstance<SetChange.Added<FakeConnection>>().map { it.connection.id }
                val removed = seen.filterIsInstance<SetChange.Removed<FakeConnection>>().map { it.connection.id }
                added.toSet().size shouldBe added.size
                removed.toSet() shouldBe added.toSet()
                removed.size shouldBe added.size
                seen.forEachIndexed { i, change ->
                    if (change is SetChange.Removed) {
                        (seen.take(i).any { it is SetChange.Added && it.connection === change.connection }) shouldBe
                            true
                    }
                }
                added.size shouldBeGreaterThan 5
            }
        }

        test("a connection that was never in the set gets no removed") {
            val network = FakeNetwork().apply { connectDelay = 1.seconds }
            setTest(setOf(a), network = network) {
                set.awaitReady()
                val notices = test.async { set.notices.toList() }
                val changes = test.async { set.changes.toList() }
                after(1.milliseconds)
                listed.value = setOf(a, b)
                after(500.milliseconds)
                listed.value = setOf(a)
                after(10.seconds)
                set.close(0)
                changes.await().shouldHaveSize(2)
                notices.await().filterIsInstance<SetNotice.Removed>().map { it.backend } shouldContainExactly listOf(a)
                network.attempts["b"] shouldBe 1
            }
        }

        test("a removed connection stays open for its holders until the last lets go, and takes no more") {
            setTest(setOf(a, b)) {
                set.awaitReady(2)
                val source = on(a)
                val leases = List(3) { source.lease().shouldNotBeNull() }
                val told = test.async { source.awaitRemoved() }
                listed.value = setOf(b)
                after(1.seconds)
                told.isCompleted shouldBe true
                source.isRemoved shouldBe true
                source.lease().shouldBeNull()
                leases.dropLast(1).forEach { it.close() }
                after(10.seconds)
                network.live(a) shouldBe 1
                leases.last().close()
                after(1.milliseconds)
                network.live(a) shouldBe 0
            }
        }

        test("holders that do not let go are cut off after the drain timeout") {
            setTest(setOf(a, b), SetPolicy(drainTimeout = 5.seconds)) {
                set.awaitReady(2)
                val notices = test.async { set.notices.toList() }
                val lease = on(a).lease().shouldNotBeNull()
                listed.value = setOf(b)
                after(4_999.milliseconds)
                network.live(a) shouldBe 1
                after(2.milliseconds)
                network.live(a) shouldBe 0
                lease.close()
                set.close(0)
                notices.await().filterIsInstance<SetNotice.Drained>().first().forced shouldBe 1
            }
        }

        test("the last connection that works survives an empty answer, and a resolver that fails or completes") {
            val answers = { listed: MutableStateFlow<Set<Backend>> ->
                var asked = 0
                Resolver {
                    flow {
                        if (asked++ == 0) emit(listed.value)
                        delay(1.seconds)
                        if (asked == 1) throw Refused("no name server")
                        emit(emptySet())
                    }
                }
            }
            setTest(setOf(a), resolver = answers) {
                set.awaitReady()
                val notices = test.async { set.notices.toList() }
                after(600.seconds)
                live shouldContainExactly listOf(a)
                set.use { it.isClosed shouldBe false }
                set.close(0)
                notices.await().map { it::class.simpleName } shouldContainExactly
                    listOf(
                        "ResolverFailed",
                        "BackendRemoved",
                        "ResolverCompleted",
                        "Kept",
                        "Removed",
                        "Drained",
                        "SetClosed",
                    )
            }
        }

        test("a connection that its user says is broken is closed at once and opened again after a backoff") {
            setTest(setOf(a)) {
                set.awaitReady()
                val lease = set.lease()
                lease.source.fail(Refused("garbage"))
                set.tryLease().shouldBeNull()
                after(Duration.ZERO)
                network.live(a) shouldBe 0
                after(100.milliseconds)
                set.use { it.id shouldBe 2 }
                lease.close()
            }
        }

        test("a backend that refuses is tried again with growing pauses, by one attempt at a time") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Refusing) }
            setTest(setOf(a), network = network) {
                after(120.seconds)
                network.attempts.getValue("a") shouldBeLessThanOrEqual 22
                network.mostConnecting shouldBe 1
                network.set(a, FakeNetwork.Mode.Up)
                after(30.seconds)
                live shouldContainExactly listOf(a)
            }
        }

        test("a lease that gets nothing ends in time, with the backend's error; one that nobody listed says so") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Refusing) }
            setTest(setOf(a), SetPolicy(leaseTimeout = 3.seconds), network) {
                val failure = shouldThrow<PoolException.NoneOnline> { set.lease() }
                test.currentTime shouldBeInRange 3_000L..3_001L
                failure.message!! shouldContain "connection refused by a"
                shouldThrow<PoolException.NotReady> { set.awaitReady() }.ready shouldBe 0
                listed.value = emptySet()
                shouldThrow<PoolException.NoBackends> { set.lease() }
            }
        }

        test("a check that fails closes the connection; nobody is given it meanwhile") {
            val network = FakeNetwork().apply {
                valid = {
                    delay(1.seconds)
                    it.id > 1
                }
            }
            setTest(setOf(a), SetPolicy(checkInterval = 10.seconds), network) {
                set.awaitReady()
                while (set.tryLease()?.close() != null) after(10.milliseconds)
                network.live(a) shouldBe 1
                set.use { it.id shouldBe 2 }
                network.opened shouldBe 2
                // The next check passes, and who waits for it gets the connection.
                while (set.tryLease()?.close() != null) after(10.milliseconds)
                set.use { it.id shouldBe 2 }
            }
        }

        test("a connect that hangs is cut off, and one that is cancelled leaves nothing open") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Hanging) }
            setTest(setOf(a), SetPolicy(connectTimeout = 2.seconds), network) {
                after(2_001.milliseconds)
                set.snapshot.value.backends.single().lastError!!.message!! shouldContain "connect did not end within 2s"
            }
        }

        test("closing waits for leases up to the grace, then closes under their holders, and reports") {
            setTest(setOf(a, b, c)) {
                set.awaitReady(3)
                val short = on(a).lease().shouldNotBeNull()
                val long = on(b).lease().shouldNotBeNull()
                test.launch {
                    delay(1.seconds)
                    short.close()
                }
                val report = set.close(2_000)
                test.currentTime shouldBeInRange 2_000L..2_001L
                report.toString() shouldBe "closed 2, forced 1, refused 0 waiting, 0 stuck"
                set.close(0) shouldBe report
                shouldThrow<PoolException.Closed> { set.tryLease() }
                shouldThrow<PoolException.Closed> { set.lease() }
                long.close()
                set.snapshot.value.phase shouldBe PoolSnapshot.Phase.Closed
            }
        }

        test("closing ends in time although a close hangs") {
            val network = object : FakeNetwork() {
                override suspend fun close(connection: FakeConnection) {
                    try {
                        awaitCancellation()
                    } finally {
                        super.close(connection)
                    }
                }
            }
            setTest(setOf(a), SetPolicy(closeTimeout = 2.seconds), network) {
                set.awaitReady()
                val waiting = test.async { runCatching { set.close(0) } }
                after(2_001.milliseconds)
                waiting.isCompleted shouldBe true
                after(1.seconds)
            }
        }

        test("closing ends in time although a connect does not let itself be cancelled, and says that it is stuck") {
            val stuck = CompletableDeferred<Unit>()
            val network = object : FakeNetwork() {
                override suspend fun connect(backend: Backend): FakeConnection = withContext(NonCancellable) {
                    if (backend == b) stuck.await()
                    super.connect(backend)
                }
            }
            setTest(setOf(a, b), SetPolicy(closeTimeout = 2.seconds), network) {
                set.awaitReady()
                set.close(1_000).toString() shouldBe "closed 1, forced 0, refused 0 waiting, 1 stuck"
                test.currentTime shouldBeInRange 3_000L..3_001L
                // What it opens after all is closed all the same.
                stuck.complete(Unit)
                after(1.milliseconds)
                network.closed shouldBe 2
            }
        }

        test("a slow collector of notices loses the oldest, is told how many, and slows nobody") {
            setTest(setOf(a), SetPolicy(noticeBuffer = 4)) {
                set.awaitReady()
                val seen = mutableListOf<SetNotice>()
                val collecting = test.launch {
                    set.notices.collect {
                        seen += it
                        delay(100.seconds)
                    }
                }
                after(1.milliseconds)
                repeat(20) {
                    on(a).fail(null)
                    after(30.seconds)
                }
                set.close(0)
                collecting.join()
                val missed = seen.filterIsInstance<SetNotice.Missed>().sumOf { it.count }
                // Every failure is a Removed and a Connected; the last three are those of closing.
                missed + seen.count { it !is SetNotice.Missed } shouldBe 43
                (missed > 0) shouldBe true
                seen.last().shouldBeInstanceOf<SetNotice.SetClosed>()
            }
        }

        test("cancelling the scope closes everything, held or not, and ends all flows") {
            setTest(setOf(a, b)) {
                set.awaitReady(2)
                set.lease()
                val changes = test.async { set.changes.toList() }
                val notices = test.async { set.notices.toList() }
                val waiter = test.async { runCatching { set.awaitReady(5) }.exceptionOrNull() }
                after(1.milliseconds)
                scope.coroutineContext[Job]!!.cancelAndJoin()
                network.live.shouldBeEmpty()
                changes.await().shouldHaveSize(4)
                notices.await()
                waiter.await().shouldBeInstanceOf<PoolException.Closed>()
                set.connections.value.shouldBeEmpty()
                shouldThrow<PoolException.Closed> { set.lease() }
            }
        }

        test(
            "the scope may be cancelled at any moment of connecting, checking, draining and closing: nothing is left",
        ) {
            for (moment in 0L..60L) {
                val network = FakeNetwork().apply {
                    connectDelay = 3.milliseconds
                    closeDelay = 2.milliseconds
                    valid = {
                        delay(2.milliseconds)
                        true
                    }
                }
                setTest(setOf(a, b), SetPolicy(checkInterval = 5.milliseconds), network) {
                    test.launch {
                        delay(15.milliseconds)
                        listed.value = setOf(moved, c)
                        delay(20.milliseconds)
                        set.close(5)
                    }
                    val user = test.launch { runCatching { set.use { delay(12.milliseconds) } } }
                    after(moment.milliseconds)
                    scope.coroutineContext[Job]!!.cancelAndJoin()
                    network.live.shouldBeEmpty()
                    network.closed shouldBe network.opened
                    user.cancelAndJoin()
                }
            }
        }

        test("a lease may be cancelled at each of its resumptions, and none is lost") {
            var last = 1
            var at = 0
            while (at++ < last + 1) {
                setTest(setOf(a), network = FakeNetwork().apply { connectDelay = 1.milliseconds }) {
                    val inner = test.coroutineContext[ContinuationInterceptor] as CoroutineDispatcher
                    val dispatcher = CancelledAt(inner, at)
                    val user = test.launch(dispatcher) { set.use { delay(1.milliseconds) } }
                    user.join()
                    last = maxOf(last, dispatcher.dispatches)
                    after(1.seconds)
                    on(a).leases shouldBe 0
                }
            }
            last shouldBeGreaterThan 2
        }

        test("few of many backends: as many as wanted, and another at once when one is down") {
            val many = (0 until 20).map { backend("b$it") }
            setTest(many.toSet(), SetPolicy(target = 3, maximum = 4)) {
                set.awaitReady(3)
                network.opened shouldBe 3
                val victim = live.first()
                network.set(victim, FakeNetwork.Mode.Refusing)
                on(victim).fail(Refused("reset"))
                after(1.milliseconds)
                live.shouldHaveSize(3)
                after(60.seconds)
                network.live.size shouldBeLessThanOrEqual 5
            }
        }
    })

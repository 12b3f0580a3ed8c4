package dev.carom.pool

import app.cash.turbine.test
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration

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

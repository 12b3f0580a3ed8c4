package dev.carom.pool

import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration

/** Keeps what was written where; can be slow, or fail. */
class FakeWriter : MessageWriter<FakeConnection, String> {
    val written = mutableListOf<Pair<String, Backend>>()
    val begun = mutableListOf<String>()
    var pace: Duration = Duration.ZERO
    var failing: (String, FakeConnection) -> Throwable? = { _, _ -> null }
    var hold: suspend () -> Unit = {}
    private var writing = false

    val messages: List<String> get() = written.map { it.first }

    override suspend fun write(connection: FakeConnection, message: String) {
        check(!writing) { "two writes at once" }
        check(!connection.isClosed) { "write on $connection, which is closed" }
        writing = true
        begun += message
        try {
            delay(pace)
            hold()
            failing(message, connection)?.let { throw it }
            written += message to connection.backend
        } finally {
            writing = false
        }
    }

    override fun sizeOf(message: String): Long = message.length.toLong()
}

fun persistentTest(
    backends: Set<Backend>,
    policy: PersistentPolicy = PersistentPolicy(),
    network: FakeNetwork = FakeNetwork(),
    block: suspend PersistentWorld.() -> Unit,
) = runTest {
    val listed = MutableStateFlow(backends)
    val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
    val writer = FakeWriter()
    val time = testScheduler.timeSource
    val link = scope.openPersistent("bus", listed.asResolver(), network, writer, policy, time, Random(1))
    PersistentWorld(this, link, writer, network, listed, scope).block()
    link.close(0)
    network.live.shouldBeEmpty()
    network.closed shouldBe network.opened
    link.state.value shouldBe PersistentState.Closed
    scope.coroutineContext[Job]!!.children.toList().shouldBeEmpty()
    scope.coroutineContext[Job]!!.cancelAndJoin()
}

class PersistentWorld(
    val test: TestScope,
    val link: PersistentConnection<FakeConnection, String>,
    val writer: FakeWriter,
    val network: FakeNetwork,
    val listed: MutableStateFlow<Set<Backend>>,
    val scope: CoroutineScope,
) {
    fun after(time: Duration) {
        test.advanceTimeBy(time)
        test.runCurrent()
    }

    suspend fun connected() = link.state.first { it is PersistentState.Connected } as PersistentState.Connected
}

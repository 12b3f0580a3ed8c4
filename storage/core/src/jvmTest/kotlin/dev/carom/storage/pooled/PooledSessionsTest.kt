package dev.carom.storage.pooled

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import dev.carom.pool.asResolver
import dev.carom.pool.openPool
import dev.carom.storage.SessionSource
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageKind
import dev.carom.storage.openStorage
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import kotlin.random.Random

/** A connection of a storage of one's own. */
private class Line(val server: String, val number: Int) {
    var idle = false
    var dead = false
}

private class LineDriver : StorageDriver<Line> {
    override val kind = StorageKind("line")
}

private class Lines : Connector<Line> {
    val opened = mutableListOf<Line>()
    val closed = mutableListOf<Line>()

    override suspend fun connect(backend: Backend) = Line(backend.name, opened.size).also { opened += it }

    override suspend fun probeRole(connection: Line) = if (connection.server == "a") Role.Primary else Role.Replica

    override suspend fun close(connection: Line) {
        closed += connection
    }
}

private class Look(private val answer: suspend (Line) -> Boolean = { !it.dead }) : IdleCheck<Line> {
    var looks = 0

    override fun isDue(session: Line) = session.idle

    override suspend fun isAlive(session: Line): Boolean {
        looks++
        return answer(session)
    }
}

private val servers = setOf(Backend("a", "localhost", 1), Backend("b", "localhost", 2))

private fun TestScope.pool(lines: Lines, backends: Set<Backend> = setOf(servers.first()), slots: Int = 1) =
    backgroundScope.openPool(
        "lines",
        flowOf(backends).asResolver(),
        lines,
        PoolPolicy(slots, slots),
        testScheduler.timeSource,
        Random(1),
    )

private fun TestScope.storage(source: SessionSource<Line>) = backgroundScope
    .openStorage("line", LineDriver(), source)

class PooledSessionsTest :
    FunSpec({
        test("a storage of one's own stands on a Carom pool, and ends it") {
            runTest {
                val lines = Lines()
                val storage = storage(PooledSessions(pool(lines)))
                storage.use { it.number } shouldBe 0
                storage.use { it.number } shouldBe 0
                storage.close()
                lines.closed shouldContainExactly lines.opened
            }
        }

        test("a role: sessions of the servers that have it alone") {
            runTest {
                val lines = Lines()
                val storage = storage(PooledSessions(pool(lines, servers, slots = 4), Role.Replica, null))
                repeat(5) { storage.use { it.server } shouldBe "b" }
            }
        }

        test("B13 B14 T18 dead after idling: closed, and the operation runs on another one, once") {
            runTest {
                val lines = Lines()
                val look = Look()
                val storage = storage(PooledSessions(pool(lines), null, look))
                val first = storage.use { it }
                first.idle = true
                first.dead = true
                var runs = 0
                val second = storage.use { line -> line.also { runs++ } }
                second shouldNotBe first
                runs shouldBe 1
                look.looks shouldBe 1
                lines.closed shouldContainExactly listOf(first)
            }
        }

        test("B179 not idle for long: nobody looks; alive: it is lent") {
            runTest {
                val lines = Lines()
                val look = Look()
                val storage = storage(PooledSessions(pool(lines), null, look))
                val line = storage.use { it }
                storage.use { it }
                look.looks shouldBe 0
                line.idle = true
                storage.use { it } shouldBe line
                look.looks shouldBe 1
            }
        }

        test("B6 cancelled while it is looked at: the session is not lost") {
            runTest {
                val lines = Lines()
                val asked = CompletableDeferred<Unit>()
                val answer = CompletableDeferred<Boolean>()
                val look = Look {
                    asked.complete(Unit)
                    answer.await()
                }
                val storage = storage(PooledSessions(pool(lines), null, look))
                storage.use { it }.idle = true
                val caller =
                    launch(start = CoroutineStart.UNDISPATCHED) { storage.use { error("nobody asks any more") } }
                asked.await()
                caller.cancel()
                caller.join()
                lines.opened.forEach { it.idle = false }
                async { storage.use { it.server } }.await() shouldBe "a"
                storage.stats().leased shouldBe 0
            }
        }
    })

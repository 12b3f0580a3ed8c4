package dev.carom.storage

import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.PushPolicy
import dev.carom.storage.sql.PushedRows
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest

private val COLUMN = listOf(ColumnInfo("n", "bigint"))

private class PushWorld(val test: TestScope, policy: PushPolicy) {
    val rows = PushedRows(policy)
    val sink = rows.sink
    val log = mutableListOf<String>()

    init {
        sink.onPause { log += "pause" }
        sink.onResume { log += "resume" }
        sink.onCancel { log += "cancel" }
    }

    fun push(vararg values: Int) = values.forEach { sink.push(listOf(it)) }

    /** `next` that waits. */
    fun asking() = test.async(start = CoroutineStart.UNDISPATCHED) { runCatching { rows.next() } }

    fun closing() = test.launch(start = CoroutineStart.UNDISPATCHED) { rows.close() }
}

private fun pushTest(policy: PushPolicy = PushPolicy(), columns: Boolean = true, block: suspend PushWorld.() -> Unit) =
    runTest {
        val world = PushWorld(this, policy)
        if (columns) world.sink.columns(COLUMN)
        world.block()
        world.sink.end()
    }

class PushedRowsTest :
    FunSpec({
        test("A27 A28 A47 fresh they are open; ended by the platform they are, until a reader has seen the end") {
            pushTest {
                rows.isClosed shouldBe false
                push(1)
                sink.end()
                rows.isClosed shouldBe false
                rows.next() shouldBe true
                rows.isClosed shouldBe false
                rows.next() shouldBe false
                rows.isClosed shouldBe true
            }
            pushTest {
                sink.end()
                rows.close()
                rows.isClosed shouldBe true
            }
        }

        test("A30 A32 the counts, while it fills and while it drains") {
            pushTest(PushPolicy(3, 1)) {
                rows.stats().buffered shouldBe 0
                push(1, 2)
                rows.stats().buffered shouldBe 2
                rows.next()
                rows.stats().buffered shouldBe 1
                push(3, 4)
                rows.stats().run { listOf(isReady, buffered, isPaused, pauses, resumes) } shouldBe
                    listOf(true, 3, true, 1L, 0L)
                repeat(2) { rows.next() }
                rows.stats().run { listOf(isReady, buffered, isPaused, pauses, resumes) } shouldBe
                    listOf(true, 1, false, 1L, 1L)
            }
        }

        test("A35 A36 A37 A38 A39 what a policy may say") {
            shouldThrow<IllegalArgumentException> { PushPolicy(1) }.message!! shouldContain "was 1"
            PushPolicy(10).resumeCount shouldBe 5
            shouldThrow<IllegalArgumentException> { PushPolicy(4, 4) }
            shouldThrow<IllegalArgumentException> { PushPolicy(4, -1) }
            PushPolicy(4, 0).resumeCount shouldBe 0
        }

        test("A41 A42 a row that is there, ended or not") {
            pushTest {
                push(1)
                rows.next() shouldBe true
                rows.row.getInt(0) shouldBe 1
                push(2)
                sink.end()
                rows.next() shouldBe true
                rows.row.getInt("n") shouldBe 2
            }
        }

        test("A43 next before the push: it comes when the row does") {
            pushTest {
                val asked = asking()
                asked.isCompleted shouldBe false
                push(7)
                asked.await().getOrThrow() shouldBe true
                rows.row.getInt(0) shouldBe 7
            }
        }

        test("A44 A88 A89 paused at 10, going on exactly when 6 are left, once each") {
            pushTest(PushPolicy(10, 6)) {
                push(*(1..9).toList().toIntArray())
                log shouldBe emptyList()
                push(10)
                log shouldContainExactly listOf("pause")
                push(11)
                log shouldContainExactly listOf("pause")
                repeat(4) { rows.next() }
                rows.stats().buffered shouldBe 7
                log shouldContainExactly listOf("pause")
                rows.next()
                log shouldContainExactly listOf("pause", "resume")
            }
        }

        test("A45 A46 next waits, the platform ends without a row: false, closed, and so again") {
            pushTest {
                val asked = asking()
                sink.end()
                asked.await().getOrThrow() shouldBe false
                rows.isClosed shouldBe true
                rows.next() shouldBe false
            }
        }

        test("A48 A49 A57 closed by the reader: next is false when the platform has ended, whatever was buffered") {
            pushTest {
                push(1, 2)
                val closing = closing()
                val asked = asking()
                asked.isCompleted shouldBe false
                sink.end()
                asked.await().getOrThrow() shouldBe false
                closing.join()
                rows.next() shouldBe false
            }
            pushTest {
                val asked = asking()
                val closing = closing()
                asked.isCompleted shouldBe false
                sink.end()
                asked.await().getOrThrow() shouldBe false
                closing.join()
            }
        }

        test("A50 A92 cancelled while next waits: closed, and the platform is told") {
            pushTest {
                val asked = asking()
                asked.cancelAndJoin()
                rows.isClosed shouldBe true
                log shouldContainExactly listOf("cancel")
                sink.isCancelled shouldBe true
            }
        }

        test("A51 A82 A87 A91 the platform fails while next waits: next throws that, closed; afterwards it is false") {
            pushTest {
                val mine = IllegalStateException("mine")
                val asked = asking()
                sink.fail(mine)
                asked.await().exceptionOrNull() shouldBeSameInstanceAs mine
                rows.failure shouldBeSameInstanceAs mine
                rows.isClosed shouldBe true
                log shouldContainExactly listOf("cancel")
                rows.next() shouldBe false
            }
        }

        test("A52 A83 A84 A85 A86 whatever is given as a failure becomes an exception that says it") {
            val said = mapOf(null to "did not say why", "no room" to "no room", 42 to "42", listOf("a") to "[a]")
            for ((cause, text) in said) {
                pushTest {
                    sink.fail(cause)
                    shouldThrow<StorageException> { rows.next() }.message!! shouldContain text
                }
            }
        }

        test("A53 a second next at the same time is refused, the first goes on") {
            pushTest {
                val first = asking()
                shouldThrow<StorageException.ConcurrentNext> { rows.next() }
                push(1)
                first.await().getOrThrow() shouldBe true
            }
        }

        test(
            "A54 A55 A56 A58 A90 close tells the platform, once, and returns when that has ended, also with an error",
        ) {
            pushTest {
                val closing = closing()
                val again = closing()
                log shouldContainExactly listOf("cancel")
                test.runCurrent()
                closing.isCompleted shouldBe false
                sink.fail("anything")
                closing.join()
                again.join()
                rows.close()
                log shouldContainExactly listOf("cancel")
                rows.next() shouldBe false
            }
        }

        test("A60 A61 A62 what is not there yet is an error") {
            pushTest(columns = false) {
                shouldThrow<IllegalStateException> { rows.row }
                shouldThrow<IllegalStateException> { rows.columns }
                sink.columns(COLUMN)
                rows.columns.infos shouldBe COLUMN
            }
        }

        test("A63 A64 A65 read to its end, left early, left by an exception: closed") {
            pushTest {
                push(1, 2, 3)
                sink.end()
                rows.asFlow().toList().map { it.getInt(0) } shouldContainExactly listOf(1, 2, 3)
                rows.isClosed shouldBe true
            }
            pushTest {
                push(1, 2, 3)
                sink.onCancel { sink.end() }
                rows.asFlow().take(2).toList().size shouldBe 2
                rows.isClosed shouldBe true
            }
            pushTest {
                push(1)
                sink.onCancel { sink.end() }
                shouldThrow<IllegalStateException> { rows.asFlow().collect { error("mine") } }
                rows.isClosed shouldBe true
            }
        }

        test("A66 A67 A68 A69 A70 A71 A72 ready: with the columns, at an end, at a close, with the error, cancelled") {
            fun ready(world: PushWorld) =
                world.test.async(start = CoroutineStart.UNDISPATCHED) { runCatching { world.rows.ready() } }
            pushTest { ready(this).await().exceptionOrNull().shouldBeNull() }
            pushTest(columns = false) {
                val early = ready(this)
                early.isCompleted shouldBe false
                sink.columns(COLUMN)
                early.await().exceptionOrNull().shouldBeNull()
            }
            pushTest(columns = false) {
                val early = ready(this)
                sink.end()
                early.await().exceptionOrNull().shouldBeNull()
            }
            pushTest(columns = false) {
                val early = ready(this)
                val closing = closing()
                early.await().exceptionOrNull().shouldBeNull()
                sink.end()
                closing.join()
            }
            pushTest(columns = false) {
                val mine = IllegalStateException("mine")
                val early = ready(this)
                sink.fail(mine)
                early.await().exceptionOrNull() shouldBeSameInstanceAs mine
                ready(this).await().exceptionOrNull() shouldBeSameInstanceAs mine
            }
            pushTest(columns = false) { ready(this).cancelAndJoin() }
        }

        test("A73 A74 columns tell types and names") {
            pushTest {
                rows.columns.infos.map { it.typeName } shouldContainExactly listOf("bigint")
                rows.columns.names shouldContainExactly listOf("n")
            }
        }

        test(
            "A75 A76 A77 A78 A79 A80 A81 rows, lists and maps are pushed; before the columns an error, after a close dropped",
        ) {
            pushTest(columns = false) {
                shouldThrow<IllegalStateException> { sink.push(listOf(1)) }
                shouldThrow<IllegalStateException> { sink.push(mapOf("n" to 1)) }
                sink.columns(COLUMN)
                val row = sink.push(listOf(1))
                sink.push(row) shouldBe true
                sink.push(mapOf("n" to 2, "extra" to 3))
                rows.next()
                rows.row shouldBeSameInstanceAs row
                rows.next()
                rows.next()
                rows.row.toList() shouldContainExactly listOf(2)
                val closing = closing()
                sink.push(row) shouldBe false
                rows.stats().buffered shouldBe 0
                sink.end()
                closing.join()
            }
        }

        test("A93 A94 A95 a handler that was removed is not called") {
            pushTest(PushPolicy(2, 0)) {
                sink.onPause(null)
                sink.onResume(null)
                sink.onCancel(null)
                push(1, 2)
                repeat(2) { rows.next() }
                val closing = closing()
                sink.end()
                closing.join()
                log shouldBe emptyList()
            }
        }

        test("closed while the platform is being told something: it is told that after it, and nothing more") {
            pushTest(PushPolicy(2, 0)) {
                sink.onResume {
                    push(3, 4)
                    closing()
                    log += "resumed"
                }
                push(1, 2)
                repeat(2) { rows.next() }
                sink.end()
                log shouldContainExactly listOf("pause", "resumed", "cancel")
            }
        }

        test("a platform that pushes when it is told to go on sees by itself when to pause again") {
            pushTest(PushPolicy(4, 2)) {
                var most = 0
                var next = 0
                fun pushOn() {
                    while (!sink.isPaused && next < 20) {
                        push(next++)
                        most = maxOf(most, rows.stats().buffered)
                    }
                }
                sink.onResume { pushOn().also { log += "resumed" } }
                pushOn()
                repeat(20) { n ->
                    rows.next()
                    rows.row.getInt(0) shouldBe n
                }
                most shouldBe 4
                log.take(4) shouldContainExactly listOf("pause", "resumed", "pause", "resumed")
                push(1, 2, 3, 4)
                sink.isPaused shouldBe true
                closing()
                sink.isPaused shouldBe false
            }
        }

        test("a handler that fails is heard by whoever caused it, and the platform is told what comes after") {
            pushTest(PushPolicy(2, 0)) {
                sink.onPause { error("mine") }
                shouldThrow<IllegalStateException> { push(1, 2) }.message shouldBe "mine"
                repeat(2) { rows.next() }
                closing()
                sink.end()
                log shouldContainExactly listOf("resume", "cancel")
            }
        }

        test("A96 a writer of one row a tick and a slower reader: paused, resumed, and stopped by the close") {
            pushTest(PushPolicy(5, 3)) {
                var going = true
                var paused = false
                sink.onPause { paused = true.also { log += "pause at ${test.currentTime}" } }
                sink.onResume { paused = false.also { log += "resume at ${test.currentTime}" } }
                sink.onCancel { going = false }
                val writer = test.launch {
                    var n = 0
                    while (going) {
                        delay(1)
                        if (!paused && going) push(n++)
                    }
                    sink.end()
                }
                delay(5)
                test.runCurrent()
                rows.stats().buffered shouldBe 5
                repeat(2) {
                    delay(10)
                    rows.next()
                }
                rows.stats().buffered shouldBe 3
                delay(2)
                test.runCurrent()
                rows.stats().buffered shouldBe 5
                rows.close()
                writer.join()
                log shouldContainExactly listOf("pause at 5", "resume at 25", "pause at 26")
            }
        }
    })

package dev.carom.pool

import dev.carom.pool.internal.withoutPasswords
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

/** What drivers say when they fail, with the password in it (AT-22). */
class RedactionTest :
    FunSpec({
        val canary = "c4n4ry-7f"
        val shapes = listOf(
            "FATAL: no route to postgresql://app:$canary@db.example/shop",
            "cannot parse redis://:$canary@cache:6379/0",
            "amqp://app:$canary%40x%2Fy@mq refused",
            "mongodb+srv://app:$canary@x/y@host: the password holds what should have been encoded",
            "No suitable driver found for jdbc:postgresql://db/shop?user=app&password=$canary&ssl=true",
            "jdbc:sqlserver://db;user=app;password={$canary;x};encrypt=true failed",
            "jdbc:oracle:thin:app/$canary@//db:1521/shop: listener refused",
            "jdbc:oracle:oci:app/$canary@db",
            "jdbc:mysql://address=(host=db)(user=app)(password=$canary)/shop",
            "Driver={X};Server=db;Uid=app;Pwd='$canary y';",
            "properties: {user=app, trustStorePassword=$canary, access_token = $canary}",
            """refused: {"user":"app","password":"$canary"}""",
        )

        test("twelve shapes of a password in a message: none is shown, the rest is") {
            for (shape in shapes) {
                withClue(shape) {
                    val shown = withoutPasswords(shape)
                    shown shouldNotContain canary
                    shown shouldContain "***"
                }
            }
            withoutPasswords(shapes[0]) shouldBe "FATAL: no route to postgresql://***@db.example/shop"
            withoutPasswords(shapes[4]) shouldContain "jdbc:postgresql://db/shop?user=app&password=***&ssl=true"
            withoutPasswords(shapes[6]) shouldContain "jdbc:oracle:thin:app/***@//db:1521/shop"
        }

        test("what holds no password stays as it is") {
            for (text in listOf(
                "connection to 10.0.0.1:5432 refused",
                "mail to ops@example.org bounced: 550",
                "http://host/path?page=2",
                "password expired",
                "a=b, c: d",
                "",
            )) {
                withoutPasswords(text) shouldBe text
            }
        }

        test("a long hostile message takes no longer than its length") {
            val text = "://password=".repeat(20_000)
            withoutPasswords(text).length shouldBeGreaterThan 0
        }

        test("a driver that puts its URL into each failure: no notice, refusal, explanation, view or record shows it") {
            runTest {
                val shown = StringBuilder()
                val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
                val network = Chatty(shapes)
                val pool = scope.openPool(
                    "db",
                    fixedResolver(backend("a"), backend("b")),
                    network,
                    PoolPolicy(spares = 2, maxSlots = 4, claimTimeout = 3.seconds, healthInterval = 1.seconds),
                    { shown.appendLine(it) },
                    testScheduler.timeSource,
                    Random(1),
                )
                val listening = scope.launch(start = CoroutineStart.UNDISPATCHED) {
                    pool.notices.collect { shown.appendLine(it) }
                }
                repeat(40) {
                    try {
                        val claim = pool.claim()
                        claim.report(IllegalStateException(shapes[it % shapes.size]))
                        if (it % 2 == 0) claim.discard() else claim.close()
                    } catch (refusal: PoolException) {
                        shown.appendLine(refusal.message).appendLine(refusal.explanation)
                    }
                    shown.appendLine(pool.explain()).appendLine(pool.snapshot.value).appendLine(pool.health())
                    delay(1.seconds)
                }
                pool.close(0)
                listening.join()
                scope.coroutineContext[Job]!!.cancelAndJoin()
                network.failures shouldBeGreaterThan 20
                shown.toString() shouldNotContain canary
                shown.toString() shouldContain "***"
            }
        }
    })

/** Fails at each step in turn, always with another of [messages]. */
private class Chatty(private val messages: List<String>) : Connector<String> {
    var failures = 0
    private var steps = 0

    private fun step(fails: Boolean): Boolean {
        if (!fails) return true
        error(messages[failures++ % messages.size])
    }

    override suspend fun connect(backend: Backend): String {
        step(++steps % 3 != 0)
        return backend.name
    }

    override suspend fun isValid(connection: String): Boolean = step(++steps % 2 == 0)

    override suspend fun onRecycle(connection: String) {
        step(++steps % 2 == 0)
    }

    override suspend fun close(connection: String) {
        step(++steps % 2 == 0)
    }
}

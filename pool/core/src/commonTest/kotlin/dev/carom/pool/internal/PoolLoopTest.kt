package dev.carom.pool.internal

import dev.carom.pool.FakeConnection
import dev.carom.pool.FakeNetwork
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolRecording
import dev.carom.pool.backend
import dev.carom.pool.fixedResolver
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark

class PoolLoopTest :
    FunSpec({
        test("what is due is done although the inbox is never empty") {
            // An event that means nothing costs a reading of the clock of its own, the other input none.
            for (input in listOf(PoolEvent.ReadyUnawaited(0), ShellInput.DeadlineMoved)) {
                runTest {
                    val meanwhile = ArrayList<String>()
                    val job = Job(coroutineContext[Job])
                    val scope = CoroutineScope(coroutineContext + job)
                    val clock = BusyClock { currentTime.milliseconds }
                    val loop = loop(scope, job, clock) {
                        if (clock.busy > 0) meanwhile += it
                    }
                    clock.send = { loop.send(input) }
                    scope.launch { loop.run() }
                    runCurrent()
                    // The connection's check is due within the first second of two.
                    clock.busy = 2_000
                    loop.send(input)
                    runCurrent()
                    withClue(meanwhile.takeLast(3)) {
                        meanwhile.any { "\ttick\t" in it && "check 1" in it } shouldBe true
                    }
                    job.cancelAndJoin()
                }
            }
        }
    })

/** At each reading, while it is [busy], a millisecond passes and something comes in. */
private class BusyClock(private val elapsed: () -> Duration) : TimeMark {
    var send: () -> Unit = {}
    var busy = 0
    private var extra = Duration.ZERO

    override fun elapsedNow(): Duration {
        if (busy > 0) {
            busy--
            extra += 1.milliseconds
            send()
        }
        return elapsed() + extra
    }
}

private fun loop(scope: CoroutineScope, job: CompletableJob, clock: TimeMark, recording: PoolRecording) =
    PoolLoop<FakeConnection>(
        "db",
        PoolPolicy(spares = 1, maxSlots = 1, healthReserve = 0, healthInterval = 1.seconds),
        fixedResolver(backend("a")),
        FakeNetwork(),
        Hooks(valid = true),
        scope,
        job,
        clock,
        Random(1),
        recording,
    )

package dev.carom.storage

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

class CancelModeTest :
    FunSpec({
        test("DESTROY: the session is cut off at once, no request is sent, and the next caller gets another") {
            storageTest(capacity = 1, StoragePolicy(cancelMode = CancelMode.DESTROY)) {
                val call = test.launch(start = CoroutineStart.UNDISPATCHED) { pool.use { it.run("long") } }
                call.cancel()
                now()
                call.isCompleted shouldBe true
                sessions.single().aborted shouldBe true
                driver.cancels shouldBe 0
                pool.stats().cancels[CancelClass.CUT_OFF] shouldBe 1
                pool.stats().destroyed[DestroyReason.CANCELLED] shouldBe 1
                pool.use { it.id } shouldBe 2
            }
        }

        test("DESTROY: an operation that has ended meanwhile loses nothing") {
            storageTest(capacity = 1, StoragePolicy(cancelMode = CancelMode.DESTROY)) {
                val gate = CompletableDeferred<Unit>()
                val call = test.launch(start = CoroutineStart.UNDISPATCHED) { pool.use { it.run("short", gate) } }
                gate.complete(Unit)
                call.cancel()
                now()
                sessions.single().aborted shouldBe false
                pool.use { it.id } shouldBe 1
            }
        }

        test("LET_RUN: the caller returns, cancelled, when the operation has ended by itself") {
            storageTest(capacity = 1, StoragePolicy(cancelMode = CancelMode.LET_RUN)) {
                val gate = CompletableDeferred<Unit>()
                var failure: Throwable? = null
                val call = test.launch(start = CoroutineStart.UNDISPATCHED) {
                    failure = failureOf { pool.use { it.run("long", gate) } }
                }
                call.cancel()
                after(1.hours)
                call.isCompleted shouldBe false
                leased shouldBe 1
                gate.complete(Unit)
                now()
                failure.shouldBeInstanceOf<CancellationException>()
                log shouldNotContain "cancel"
                pool.use { it.id } shouldBe 1
            }
        }

        test("LET_RUN: an operation whose time is over runs to its end, and its caller is told of the time") {
            storageTest(capacity = 1, StoragePolicy(cancelMode = CancelMode.LET_RUN)) {
                val gate = CompletableDeferred<Unit>()
                var failure: Throwable? = null
                val options = OpOptions(timeout = 1.seconds)
                test.launch(start = CoroutineStart.UNDISPATCHED) {
                    failure = failureOf { pool.use(options) { it.run("fails", gate) } }
                }
                after(1.hours)
                gate.completeExceptionally(FakeError(ErrorCategory.UNIQUE))
                now()
                failure.shouldBeInstanceOf<StorageException.OpTimeout>()
            }
        }

        test("LET_RUN: the end of the pool stops it all the same") {
            storageTest(capacity = 1, StoragePolicy(cancelMode = CancelMode.LET_RUN)) {
                val call = test.launch(start = CoroutineStart.UNDISPATCHED) {
                    failureOf { pool.use { it.run("long") } }
                }
                call.cancel()
                now()
                pool.close(0)
                now()
                call.isCompleted shouldBe true
                driver.cancels shouldBe 1
            }
        }
    })

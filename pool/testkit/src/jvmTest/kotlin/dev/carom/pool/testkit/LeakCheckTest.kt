package dev.carom.pool.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.core.test.Enabled
import io.kotest.engine.test.TestResult
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import java.net.DatagramSocket
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds

class LeakCheckTest :
    FunSpec({
        val leaks = extension(LeakCheckListener())
        val virtual = if (Runtime.version().feature() >= 21) Enabled.enabled else Enabled.disabled("no virtual threads")
        val visible = if (LeakCheck.seesSockets) Enabled.enabled else Enabled.disabled("no /proc/self/fd")

        test("nothing left behind is nothing found") {
            val check = LeakCheck()
            withContext(Dispatchers.IO) { delay(1.milliseconds) }
            DnsTestServer().close()
            check.check()
        }

        test("a thread that goes on is found by its name, and is no leak once it has ended") {
            val check = LeakCheck()
            val end = CountDownLatch(1)
            val straggler = thread(name = "straggler") { end.await() }
            val error = shouldThrow<AssertionError> { check.check(0) }
            error.message shouldStartWith "left behind, and still there after 0 ms:\n  thread \"straggler\" ("
            LeakCheck(listOf("nobody")).leaks().shouldBeEmpty()
            end.countDown()
            check.check()
            straggler.join()
        }

        test("a thread that may stay is left alone") {
            val check = LeakCheck(listOf("strag"))
            val end = CountDownLatch(1)
            val straggler = thread(name = "straggler") { end.await() }
            check.leaks().shouldBeEmpty()
            end.countDown()
            straggler.join()
        }

        test("threads that the JDK keeps for its virtual threads are nobody's").config(enabledOrReasonIf = {
            virtual
        }) {
            val check = LeakCheck()
            val loopback = InetAddress.getLoopbackAddress()
            ServerSocket(0, 1, loopback).use { server ->
                val start = Thread::class.java.getMethod("startVirtualThread", Runnable::class.java)
                val reader = start.invoke(
                    null,
                    Runnable { Socket(loopback, server.localPort).use { it.getInputStream().read() } },
                ) as Thread
                server.accept().use { while (reader.state != Thread.State.WAITING) Thread.onSpinWait() }
                reader.join()
            }
            check.check(5_000)
        }

        test("sockets that stay open are found by their ports").config(enabledOrReasonIf = { visible }) {
            val check = LeakCheck()
            val loopback = InetAddress.getLoopbackAddress()
            ServerSocket(0, 1, loopback).use { tcp ->
                DatagramSocket(0, loopback).use { udp ->
                    val found = check.leaks()
                    found shouldHaveSize 2
                    found.joinToString() shouldContain "port ${tcp.localPort}"
                    found.joinToString() shouldContain "port ${udp.localPort}"
                }
            }
            check.check()
        }

        test("a coroutine that goes on is found by the job that was watched") {
            val job = Job()
            val check = LeakCheck().watch("the client's scope", job)
            Job(job)
            check.leaks().single() shouldContain "coroutine the client's scope: "
            check.leaks().single() shouldContain "with 1 children"
            job.cancel()
            check.check()
        }

        test("the listener checks each test, and leaves alone what has failed already") {
            val listener = LeakCheckListener(graceMillis = 0)
            listener.beforeEach(testCase)
            val job = Job()
            listener.of(testCase).watch("left", job)
            val success = TestResult.Success(1.milliseconds)
            shouldThrow<AssertionError> { listener.afterEach(testCase, success) }.message shouldContain "coroutine left"
            listener.beforeEach(testCase)
            listener.of(testCase).watch("left", job)
            listener.afterEach(testCase, TestResult.Failure(1.milliseconds, AssertionError("failed already")))
            job.cancel()
            leaks.of(testCase).leaks() shouldBe emptyList()
        }
    })

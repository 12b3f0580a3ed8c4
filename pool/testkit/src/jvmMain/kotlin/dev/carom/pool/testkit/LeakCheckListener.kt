package dev.carom.pool.testkit

import io.kotest.core.listeners.AfterEachListener
import io.kotest.core.listeners.BeforeEachListener
import io.kotest.core.test.TestCase
import io.kotest.engine.test.TestResult
import java.util.concurrent.ConcurrentHashMap

/**
 * A [LeakCheck] around each Kotest test: a test that leaves something behind fails, unless it has failed already.
 *
 * ```
 * class MyTest : FunSpec({
 *     val leaks = extension(LeakCheckListener())
 *     test("…") { leaks.of(testCase).watch("the client's scope", scope.coroutineContext.job) }
 * })
 * ```
 *
 * @param ignoredThreads beginnings of the names of threads that may stay.
 * @param graceMillis how long what is on its way out may take, in milliseconds.
 */
public class LeakCheckListener
@JvmOverloads
constructor(
    private val ignoredThreads: Collection<String> = emptyList(),
    private val graceMillis: Long = 20_000,
) : BeforeEachListener,
    AfterEachListener {
    private val checks = ConcurrentHashMap<TestCase, LeakCheck>()

    /** The check of a test that is running. */
    public fun of(test: TestCase): LeakCheck = checkNotNull(checks[test]) { "${test.name.name} is not running" }

    override suspend fun beforeEach(testCase: TestCase) {
        checks[testCase] = LeakCheck(ignoredThreads)
    }

    override suspend fun afterEach(testCase: TestCase, result: TestResult) {
        val check = checks.remove(testCase)
        if (result.isSuccess) check?.check(graceMillis)
    }
}

package dev.carom.storage.tck

import dev.carom.storage.PoolCore
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.StorageDriver
import dev.carom.storage.StoragePolicy
import dev.carom.storage.openStorage
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

/**
 * What the suite needs to know about an adapter: how to make a pool of it, and a handful of operations, written against
 * [Sessions] as the adapter's own operations are. Values live under keys: a row, an entry, a document.
 *
 * From Java: `BlockingTckTarget`.
 *
 * @param S the session.
 */
public interface TckTarget<S : Any> {
    /** For the names of the cases. */
    public val name: String

    public val driver: StorageDriver<S>

    /** A new source of [capacity] sessions on storage that outlives it. */
    public fun source(capacity: Int): SessionSource<S>

    /** Whether an operation that runs can be stopped before its end. */
    public val stopsRunning: Boolean get() = true

    /** Makes the storage empty and ready for [write]. */
    public suspend fun clear(on: Sessions<S>)

    /** Sets the value at [key], new or not. Declared as a write. */
    public suspend fun write(on: Sessions<S>, key: String, value: String)

    /** The value at [key], or null. Declared as a read. */
    public suspend fun read(on: Sessions<S>, key: String): String?

    /** An operation that the platform refuses, without harm to the session. */
    public suspend fun fail(on: Sessions<S>)

    /** An operation that runs for at least [millis] milliseconds unless it is stopped. */
    public suspend fun slow(on: Sessions<S>, millis: Long)

    /** Whether a session has a state of its own that [remember] sets: a setting, a variable. */
    public val remembers: Boolean get() = false

    /** Whether a complete reset undoes that state. */
    public val forgets: Boolean get() = true

    /** Sets the state of the session to [value]. Only if [remembers]. */
    public suspend fun remember(on: Sessions<S>, value: String) {}

    /** The state of the session; null if nothing was set since it was clean. Only if [remembers]. */
    public suspend fun remembered(on: Sessions<S>): String? = null

    /** Reads many values, calling [each] for one after the other while the session is held. */
    public suspend fun readMany(on: Sessions<S>, count: Int, each: suspend (Int) -> Unit)
}

/**
 * One thing an adapter must do.
 *
 * @property id its number in the list of conformance.
 * @property title what it says.
 */
public class TckCase internal constructor(
    public val id: String,
    public val title: String,
    private val block: suspend () -> Unit,
) {
    /** `id title`: for a test's name. */
    public val name: String get() = "$id $title"

    /** Runs it; throws an [AssertionError] if the adapter does something else. Never longer than 60 s. */
    public suspend fun run(): Unit = withTimeout(LIMIT) { block() }

    /** [run] for threads that block: what a JUnit dynamic test calls. */
    public fun runBlocking(): Unit = runBlocking { run() }

    override fun toString(): String = name

    private companion object {
        val LIMIT = 60.seconds
    }
}

/**
 * The conformance suite. It needs no test framework; each case is a test of the caller's:
 *
 * Kotest: `for (case in StorageTck.cases(target)) test(case.name) { case.run() }`
 *
 * JUnit: `@TestFactory Stream<DynamicTest> cases() { return StorageTck.cases(target).stream().map(c ->
 * dynamicTest(c.getName(), c::runBlocking)); }`
 */
public object StorageTck {
    /** The cases that apply to what [target]'s capabilities promise. */
    @JvmStatic
    public fun <S : Any> cases(target: TckTarget<S>): List<TckCase> {
        val suite = CaseList(target)
        suite.waitingCases()
        suite.operationCases()
        suite.connectionCases()
        if (target.remembers) suite.stateCases()
        if (target.driver.capabilities.transactions) {
            suite.txnCases()
            suite.txnEndCases()
        }
        if (target.driver.capabilities.transactions && target.driver.capabilities.savepoints) suite.nestedCases()
        suite.streamCases()
        suite.closeCases()
        return suite.cases
    }
}

/** A pool with the target's operations: what a case works with. */
internal class TckWorld<S : Any>(val target: TckTarget<S>, val pool: PoolCore<S>, val scope: CoroutineScope) {
    val leased: Int get() = pool.stats().leased

    suspend fun write(on: Sessions<S>, key: String, value: String) = target.write(on, key, value)

    suspend fun read(on: Sessions<S>, key: String): String? = target.read(on, key)
}

internal class CaseList<S : Any>(val target: TckTarget<S>) {
    val cases = mutableListOf<TckCase>()

    /** A case with an empty storage and a pool, of which nothing may be left on loan. */
    fun case(
        id: String,
        title: String,
        capacity: Int = 2,
        policy: StoragePolicy = StoragePolicy(),
        block: suspend TckWorld<S>.() -> Unit,
    ) {
        cases += TckCase(id, "${target.name}: $title") {
            coroutineScope {
                val pool = openStorage("tck", target.driver, target.source(capacity), policy)
                try {
                    target.clear(pool)
                    TckWorld(target, pool, this).block()
                    settle("no session is on loan at the end") { pool.stats().leased == 0 }
                } finally {
                    pool.close(0)
                }
            }
        }
    }
}

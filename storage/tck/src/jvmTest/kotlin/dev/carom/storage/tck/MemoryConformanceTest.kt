package dev.carom.storage.tck

import dev.carom.storage.ErrorCategory
import dev.carom.storage.LocalSessions
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.StorageException
import dev.carom.storage.keyvalue.KeyCondition
import dev.carom.storage.keyvalue.KeyValueDriver
import dev.carom.storage.memory.MemoryKeyValue
import dev.carom.storage.memory.MemoryKeyValueDriver
import dev.carom.storage.memory.MemoryKeyValueSession
import dev.carom.storage.memory.MemorySql
import dev.carom.storage.memory.MemorySqlDriver
import dev.carom.storage.memory.MemorySqlSession
import dev.carom.storage.read
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.sqlOps
import dev.carom.storage.sql.stream
import dev.carom.storage.stream
import dev.carom.storage.write
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.take

class MemoryConformanceTest :
    FunSpec({
        for (case in StorageTck.cases(MemorySqlTarget())) test(case.name) { case.run() }
        for (case in StorageTck.cases(MemorySqlTarget("pushed", ::PushingDriver))) test(case.name) { case.run() }
        for (case in StorageTck.cases(MemoryKeyValueTarget())) test(case.name) { case.run() }

        test("the suite bites: an adapter that does not roll back fails it") {
            val honest = MemoryKeyValueTarget()
            val lying = object : TckTarget<MemoryKeyValueSession> by honest {
                override val driver = Lying(honest.driver)
            }
            val case = StorageTck.cases(lying).single { it.id == "B58" }
            shouldThrow<AssertionError> { case.run() }.message!! shouldContain "expected before, was inside"
        }

        test("each number occurs once") {
            val ids = StorageTck.cases(MemoryKeyValueTarget()).map { it.id }
            ids.toSet().size shouldBe ids.size
            ids.size shouldBe 46
        }
    })

private class Lying(private val honest: MemoryKeyValueDriver) : KeyValueDriver<MemoryKeyValueSession> by honest {
    override suspend fun rollback(session: MemoryKeyValueSession) = honest.commit(session)
}

class MemorySqlTarget(how: String = "asked", over: (MemorySqlDriver) -> SqlDriver<MemorySqlSession> = { it }) :
    TckTarget<MemorySqlSession> {
    private val storage = MemorySql()
    override val name: String = "memory sql, $how"
    override val driver: SqlDriver<MemorySqlSession> = over(MemorySqlDriver())

    override fun source(capacity: Int): SessionSource<MemorySqlSession> =
        LocalSessions(capacity) { MemorySqlSession(storage) }

    private fun ops(on: Sessions<MemorySqlSession>) = sqlOps(on, driver)

    override suspend fun clear(on: Sessions<MemorySqlSession>) {
        try {
            ops(on).exec("drop table t")
        } catch (missing: StorageException.Platform) {
            missing.category shouldBe ErrorCategory.SYNTAX
        }
        ops(on).exec("create table t (k varchar primary key, v varchar)")
    }

    override suspend fun write(on: Sessions<MemorySqlSession>, key: String, value: String) {
        val updated = ops(on).exec("update t set v = ? where k = ?", value, key).rowsAffected
        if (updated == 0L) ops(on).exec("insert into t values (?, ?)", key, value)
    }

    override suspend fun read(on: Sessions<MemorySqlSession>, key: String): String? =
        ops(on).queryRow("select v from t where k = ?", key)?.getString(0)

    override suspend fun fail(on: Sessions<MemorySqlSession>) {
        ops(on).exec("no such statement")
    }

    override suspend fun slow(on: Sessions<MemorySqlSession>, millis: Long) {
        ops(on).let { if (on is Hurried) on.use { delay(millis) } else it.queryRow("select sleep($millis)") }
    }

    override suspend fun readMany(on: Sessions<MemorySqlSession>, count: Int, each: suspend (Int) -> Unit) {
        var n = 0
        ops(on).stream("select v from t").take(count).collect { each(n++) }
    }
}

class MemoryKeyValueTarget : TckTarget<MemoryKeyValueSession> {
    private val storage = MemoryKeyValue()
    override val name: String = "memory key-value"
    override val driver = MemoryKeyValueDriver()

    override fun source(capacity: Int): SessionSource<MemoryKeyValueSession> =
        LocalSessions(capacity) { MemoryKeyValueSession(storage) }

    override suspend fun clear(on: Sessions<MemoryKeyValueSession>) = on.write { session ->
        driver.scan(session, "", null).keys.forEach { driver.delete(session, it) }
    }

    override suspend fun write(on: Sessions<MemoryKeyValueSession>, key: String, value: String) {
        on.write { driver.set(it, key, value, 0, KeyCondition.ALWAYS) }
    }

    override suspend fun read(on: Sessions<MemoryKeyValueSession>, key: String): String? =
        on.read { driver.getAll(it, listOf(key))[key] }

    override suspend fun fail(on: Sessions<MemoryKeyValueSession>) {
        on.write { session ->
            driver.set(session, "text", "x", 0, KeyCondition.ALWAYS)
            driver.increment(session, "text", 1)
        }
    }

    override suspend fun slow(on: Sessions<MemoryKeyValueSession>, millis: Long) = on.use { delay(millis) }

    override suspend fun readMany(on: Sessions<MemoryKeyValueSession>, count: Int, each: suspend (Int) -> Unit) {
        var n = 0
        on.stream<MemoryKeyValueSession, String> { session ->
            driver.scan(session, "", null).keys.forEach { emit(it) }
        }.take(count).collect { each(n++) }
    }
}

package dev.carom.storage.redis

import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.keyvalue.KeyCondition
import dev.carom.storage.read
import dev.carom.storage.stream
import dev.carom.storage.tck.StorageTck
import dev.carom.storage.tck.TckTarget
import dev.carom.storage.write
import io.kotest.core.spec.style.FunSpec
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.take

class RedisTarget(private val server: RedisServer) : TckTarget<RedisSession> {
    private val address = server.database()
    override val name: String = "Redis"
    override val driver = RedisDriver()

    override fun source(capacity: Int): SessionSource<RedisSession> {
        val owner = SupervisorJob()
        val resolver = flowOf(setOf(server.backend)).asResolver()
        return CoroutineScope(Dispatchers.Default + owner)
            .redisSessions("tck", resolver, address, PoolPolicy(1, capacity))
            .also { owner.complete() }
    }

    // Which database commands go to; elsewhere there is no such key.
    override val remembers = true

    override suspend fun remember(on: Sessions<RedisSession>, value: String) {
        on.use { session ->
            session.touched = true
            session.send { it.select((session.database + 1) % DATABASES) }
            session.send { it.set("mine", value) }
        }
    }

    override suspend fun remembered(on: Sessions<RedisSession>): String? = on.use { session ->
        session.send { it.get("mine") }
    }

    override suspend fun clear(on: Sessions<RedisSession>) {
        on.write { session -> session.send { it.flushdb() } }
    }

    override suspend fun write(on: Sessions<RedisSession>, key: String, value: String) {
        on.write { driver.set(it, key, value, 0, KeyCondition.ALWAYS) }
    }

    override suspend fun read(on: Sessions<RedisSession>, key: String): String? =
        on.read { driver.getAll(it, listOf(key))[key] }

    override suspend fun fail(on: Sessions<RedisSession>) {
        on.write { session ->
            driver.set(session, "text", "x", 0, KeyCondition.ALWAYS)
            driver.increment(session, "text", 1)
        }
    }

    override suspend fun slow(on: Sessions<RedisSession>, millis: Long) {
        on.use { session -> session.send { it.blpop(millis / 1000.0, "nothing here") } }
    }

    override suspend fun readMany(on: Sessions<RedisSession>, count: Int, each: suspend (Int) -> Unit) {
        var n = 0
        on.stream<RedisSession, String> { session ->
            call { driver.scan(session, "", null) }.keys.forEach { emit(it) }
        }.take(count).collect { each(n++) }
    }
}

private const val DATABASES = 16

class RedisConformanceTest :
    FunSpec(
        withRedis { server ->
            for (case in StorageTck.cases(RedisTarget(server))) test(case.name) { case.run() }
        },
    )

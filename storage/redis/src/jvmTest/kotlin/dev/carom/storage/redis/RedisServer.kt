package dev.carom.storage.redis

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.StoragePolicy
import io.kotest.core.spec.style.FunSpec
import io.lettuce.core.RedisURI
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flowOf
import java.io.File
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

/** A redis-server of our own, in memory, on a port that was free; ends with this process. */
class RedisServer private constructor(private val process: Process, val port: Int, private val home: File) {
    private val databases = AtomicInteger(0)
    val backend = Backend("redis", "127.0.0.1", port)

    /** A database nobody else has. */
    fun database(): RedisAddress {
        val database = databases.getAndIncrement() % DATABASES
        return RedisAddress { RedisURI.builder().withHost(it.host).withPort(it.port).withDatabase(database).build() }
    }

    fun stop() {
        process.destroy()
        process.waitFor(10, TimeUnit.SECONDS)
        home.deleteRecursively()
    }

    companion object {
        private const val DATABASES = 16

        private val binary: Path? = System.getenv("PATH").orEmpty().split(':')
            .map { Path.of(it, "redis-server") }
            .firstOrNull { Files.isExecutable(it) }

        /** Null, and said so, where none is installed. */
        val shared: RedisServer? by lazy {
            start().also { server ->
                if (server == null) System.err.println("SKIPPED: redis-server is not on the PATH: nothing was tried")
            }
        }

        fun start(): RedisServer? {
            val path = binary ?: return null
            // Somebody may take the port between asking and using it.
            repeat(10) { attempt(path)?.let { return it } }
            error("no redis-server came up")
        }

        private fun attempt(path: Path): RedisServer? {
            val port = ServerSocket(0).use { it.localPort }
            val home = Files.createTempDirectory("carom-redis").toFile()
            val process = ProcessBuilder(
                listOf("$path", "--port", "$port", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
            ).directory(home).redirectErrorStream(true).start()
            val lines = process.inputReader()
            while (true) {
                val line = lines.readLine() ?: return null.also { home.deleteRecursively() }
                if ("Ready to accept connections" in line) break
            }
            Thread({ lines.forEachLine { } }, "redis-server output").apply { isDaemon = true }.start()
            return RedisServer(process, port, home).also { Runtime.getRuntime().addShutdownHook(Thread(it::stop)) }
        }
    }
}

/** How long a busy machine takes to stop a command says nothing about this library. */
private val patient = StoragePolicy(cancelGrace = 20.seconds)

/** [openRedis] in a scope of its own; everything ends with it. */
suspend fun redisTest(
    server: RedisServer,
    sessions: Int = 2,
    policy: StoragePolicy = patient,
    block: suspend CoroutineScope.(RedisPool) -> Unit,
) = coroutineScope {
    val resolver = flowOf(setOf(server.backend)).asResolver()
    val pool = openRedis("redis", resolver, server.database(), PoolPolicy(1, sessions), policy)
    try {
        pool.call { it.flushdb() }
        block(pool)
    } finally {
        pool.close(0)
    }
}

/** A spec on the shared server; one test that says so where there is none. */
fun withRedis(tests: FunSpec.(RedisServer) -> Unit): FunSpec.() -> Unit = {
    val server = RedisServer.shared
    if (server == null) xtest("skipped: no redis-server on the PATH") {} else tests(server)
}

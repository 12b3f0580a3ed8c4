package dev.carom.storage.r2dbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.pool.testkit.Fault
import dev.carom.pool.testkit.FaultProxy
import dev.carom.storage.DestroyReason
import dev.carom.storage.OpOptions
import dev.carom.storage.StoragePolicy
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.scalar
import dev.carom.storage.sql.stream
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.r2dbc.spi.Connection
import io.r2dbc.spi.ConnectionFactories
import io.r2dbc.spi.ConnectionFactory
import io.r2dbc.spi.ConnectionFactoryMetadata
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.withContext
import org.reactivestreams.Publisher
import java.net.InetSocketAddress
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Executors
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

/** Tells on which thread somebody subscribes to it. */
private class Told(private val real: ConnectionFactory, private val threads: MutableList<String>) : ConnectionFactory {
    override fun create(): Publisher<out Connection> = Publisher { subscriber ->
        threads += Thread.currentThread().name
        real.create().subscribe(subscriber)
    }

    override fun getMetadata(): ConnectionFactoryMetadata = real.metadata
}

/** Cases of the list of conformance that are about drivers behind R2DBC. */
class R2dbcListTest :
    FunSpec({
        test("B193 H2, which blocks whoever subscribes: that is a worker, and never the caller") {
            val threads = CopyOnWriteArrayList<String>()
            val server = Server.h2()
            Executors.newSingleThreadExecutor { Thread(it, "the caller") }.asCoroutineDispatcher().use { caller ->
                withContext(caller) {
                    coroutineScope {
                        val pool = openR2dbc(
                            "workers",
                            server.dialect,
                            flowOf(setOf(server.backend)).asResolver(),
                            { Told(server.connect.factory(it), threads) },
                            PoolPolicy(1, 2),
                        )
                        pool.exec("create alias here for 'dev.carom.storage.r2dbc.Threads.here'")
                        repeat(20) { threads += pool.scalar("select here()").toString() }
                        pool.close(0)
                    }
                }
            }
            threads.none { "the caller" in it } shouldBe true
            threads shouldNotContain Thread.currentThread().name
        }

        test("B154 a batch of three has three counts") {
            r2dbcTest(Server.h2()) { pool ->
                pool.exec("create table b (n int)")
                pool.execBatch("insert into b values (?)", List(3) { listOf(it) }, OpOptions.DEFAULT)
                    .shouldContainExactly(1L, 1L, 1L)
            }
        }
    })

class R2dbcProxyTest :
    FunSpec(
        withPostgres { server ->
            test("B192 the answer that would prove a session quiet does not come: it is destroyed, and the call ends") {
                FaultProxy(InetSocketAddress(server.backend.host, server.backend.port)).use { proxy ->
                    coroutineScope {
                        val pool = openR2dbc(
                            "proxied",
                            server.dialect,
                            flowOf(setOf(Backend("proxied", "127.0.0.1", proxy.port))).asResolver(),
                            { ConnectionFactories.get("r2dbc:postgresql://postgres@${it.host}:${it.port}/postgres") },
                            PoolPolicy(1, 1, closeTimeout = 500.milliseconds),
                            StoragePolicy(cancelGrace = 500.milliseconds),
                        )
                        try {
                            pool.scalar("select 1") shouldBe 1
                            val took = measureTime {
                                shouldThrow<IllegalStateException> {
                                    pool.stream("select generate_series(1, 1000000)").collect {
                                        proxy.connections.forEach { it.fault = Fault.BLACK_HOLE }
                                        error("mine")
                                    }
                                }.message shouldBe "mine"
                            }
                            took shouldBeLessThan 10.seconds
                            pool.stats().destroyed[DestroyReason.CANCEL_TIMEOUT] shouldBe 1
                            pool.stats().leased shouldBe 0
                            pool.scalar("select 42") shouldBe 42
                        } finally {
                            pool.close(0)
                        }
                    }
                }
            }
        },
    )

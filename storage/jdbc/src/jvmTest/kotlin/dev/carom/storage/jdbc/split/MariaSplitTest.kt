package dev.carom.storage.jdbc.split

import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.jdbc.JdbcDialect
import dev.carom.storage.jdbc.JdbcPool
import dev.carom.storage.jdbc.MariaServer
import dev.carom.storage.memory.MemorySqlDriver
import dev.carom.storage.split.Consistency
import dev.carom.storage.split.MariaReplication
import dev.carom.storage.split.SplitPolicy
import dev.carom.storage.split.SplitPool
import dev.carom.storage.sql.SqlTxn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.scalar
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private suspend fun splitTest(
    pair: MariaPair,
    policy: SplitPolicy = SplitPolicy(lagMemory = Duration.ZERO, checkTimeout = 20.seconds),
    block: suspend CoroutineScope.(SplitPool<JdbcPool, SqlTxn>) -> Unit,
) = coroutineScope {
    val split = openJdbcSplit(
        "maria",
        JdbcDialect.MYSQL,
        flowOf(pair.backends).asResolver(),
        pair.connect,
        PoolPolicy(4, 8, roleInterval = 50.milliseconds),
        StoragePolicy(acquireTimeout = 20.seconds, cancelGrace = 20.seconds),
        policy,
        replication = JdbcReplication.MARIADB,
    )
    try {
        // Until it is known what each server is for.
        withTimeout(20.seconds) { while (split.read(Consistency.EVENTUAL) { it.server() } != 2L) delay(5) }
        block(split)
    } finally {
        split.pool.close(0)
    }
}

private suspend fun SqlTxn.server(): Long = (scalar("select @@server_id") as Number).toLong()

class MariaSplitTest :
    FunSpec({
        val pair = MariaPair.open()
        if (pair == null) {
            xtest("skipped: no MariaDB here") {}
        } else {
            afterSpec { pair.close() }

            test("AT-27 MariaDB: a write is seen by a read with its token, whichever server serves that") {
                splitTest(pair) { split ->
                    split.pool.exec("create database one")
                    split.pool.exec("create table one.rows_of_it (n bigint primary key)")
                    val random = Random(27)
                    repeat(300) { n ->
                        val written = split.write { txn -> txn.exec("insert into one.rows_of_it values (?)", n) }
                        if (random.nextBoolean()) delay(random.nextInt(10).milliseconds)
                        split.read(Consistency.readYourWrites(written.token)) { txn ->
                            txn.scalar("select count(*) from one.rows_of_it where n = ?", n)
                        } shouldBe 1L
                    }
                    (split.stats().replicaReads > 0) shouldBe true
                }
            }

            test(
                "AT-27 MariaDB: a replica that applies nothing serves no read that needs more; when it goes on, it does",
            ) {
                splitTest(pair) { split ->
                    split.pool.exec("create database two")
                    val before = split.write { txn -> txn.exec("create table two.later (n bigint)") }.token
                    withTimeout(20.seconds) {
                        while (split.read(Consistency.readYourWrites(before)) { it.server() } != 2L) delay(5)
                    }
                    pair.second.told("stop slave sql_thread")
                    val token = split.write { txn -> txn.exec("insert into two.later values (1)") }.token
                    split.read(Consistency.readYourWrites(token)) { txn ->
                        txn.server() shouldBe 1L
                        txn.scalar("select count(*) from two.later")
                    } shouldBe 1L
                    split.read(Consistency.readYourWrites(before)) { it.server() } shouldBe 2L
                    split.read(Consistency.EVENTUAL) { txn ->
                        txn.server() shouldBe 2L
                        txn.scalar("select count(*) from two.later")
                    } shouldBe 0L
                    withTimeout(20.seconds) {
                        while (split.read(Consistency.maxLag(50)) { it.server() } != 1L) delay(5)
                    }
                    pair.second.told("start slave sql_thread")
                    withTimeout(20.seconds) {
                        while (split.read(Consistency.readYourWrites(token)) { it.server() } != 2L) delay(5)
                        while (split.read(Consistency.maxLag(50)) { it.server() } != 2L) delay(5)
                    }
                }
            }

            test("AT-27 MariaDB: a replica whose primary is out of reach cannot tell how far it is behind") {
                splitTest(pair) { split ->
                    withTimeout(20.seconds) {
                        while (split.read(Consistency.maxLag(60_000)) { it.server() } != 2L) delay(5)
                    }
                    pair.second.told("stop slave io_thread")
                    split.read(Consistency.maxLag(60_000)) { it.server() } shouldBe 1L
                    split.read(Consistency.EVENTUAL) { it.server() } shouldBe 2L
                    pair.second.told("start slave io_thread")
                }
            }

            test("B189 MariaDB: a statement is stopped on the server it runs on, and on no other") {
                splitTest(pair) { split ->
                    fun MariaServer.kills() = asked("show global status like 'Com_kill'").getValue("Value")!!.toInt()
                    val sleeps =
                        "select count(*) as n from information_schema.processlist " +
                            "where info like '%sleep(60)%' and id != connection_id()"
                    fun MariaServer.sleepers() = asked(sleeps).getValue("n")!!.toInt()
                    val (before, beforeHere) = pair.first.kills() to pair.second.kills()
                    val call = launch { split.read(Consistency.EVENTUAL) { it.scalar("select sleep(60)") } }
                    withTimeout(20.seconds) { while (pair.second.sleepers() == 0) delay(5) }
                    call.cancelAndJoin()
                    pair.second.sleepers() shouldBe 0
                    (pair.second.kills() > beforeHere) shouldBe true
                    pair.first.kills() shouldBe before
                }
            }

            // The last one: the servers change places.
            test("AT-03 AT-27 MariaDB: the primary turns read-only and its replica takes over: writes go there") {
                splitTest(pair) { split ->
                    val before = split.write { txn -> txn.exec("create database three") }.token
                    withTimeout(20.seconds) {
                        while (split.read(Consistency.readYourWrites(before)) { it.server() } != 2L) delay(5)
                    }
                    pair.first.told("set global read_only = 1")
                    pair.second.told("stop slave", "set global read_only = 0")
                    withTimeout(30.seconds) { while (!written(split)) delay(1) }
                    withTimeout(20.seconds) {
                        while (split.pool.scalar("select @@server_id").toString() != "2") delay(5)
                    }
                    // The new primary has what the old one gave a token for, and gives tokens of its own.
                    val token = split.write { txn -> txn.exec("create table three.later (n bigint)") }.token
                    MariaReplication(MemorySqlDriver()).covers(token, before) shouldBe true
                    withTimeout(20.seconds) {
                        while (split.read(Consistency.EVENTUAL) { it.server() } != 1L) delay(5)
                    }
                    split.read(Consistency.readYourWrites(token)) { it.server() } shouldBe 2L
                }
            }
        }
    })

private suspend fun written(split: SplitPool<*, SqlTxn>): Boolean = try {
    split.write { txn -> txn.exec("create table three.first (n bigint)") }
    true
} catch (_: StorageException.Platform) {
    false
}

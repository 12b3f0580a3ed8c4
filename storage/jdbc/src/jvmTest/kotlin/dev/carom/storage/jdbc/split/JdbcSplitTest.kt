package dev.carom.storage.jdbc.split

import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.ErrorCategory
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.jdbc.JdbcDialect
import dev.carom.storage.jdbc.JdbcPool
import dev.carom.storage.split.Consistency
import dev.carom.storage.split.SplitPolicy
import dev.carom.storage.split.SplitPool
import dev.carom.storage.sql.SqlTxn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.scalar
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private suspend fun splitTest(
    policy: SplitPolicy = SplitPolicy(lagMemory = Duration.ZERO, checkTimeout = 20.seconds),
    block: suspend CoroutineScope.(SplitPool<JdbcPool, SqlTxn>, TwoDatabases) -> Unit,
) = coroutineScope {
    val two = TwoDatabases()
    val split = openJdbcSplit(
        "split",
        JdbcDialect.H2,
        flowOf(two.backends).asResolver(),
        two.connect,
        PoolPolicy(4, 8, roleInterval = 20.milliseconds),
        StoragePolicy(acquireTimeout = 20.seconds),
        policy,
        two.role,
        two.replication,
    )
    try {
        withTimeout(20.seconds) { while (split.read(Consistency.EVENTUAL) { it.name() } != "b") delay(5) }
        block(split, two)
    } finally {
        split.pool.close(0)
    }
}

private suspend fun SqlTxn.name(): Any? = scalar("select min(v) from t where length(v) = 1")

class JdbcSplitTest :
    FunSpec({
        test("AT-27 reads go to the replica as long as it is far enough, writes to the primary") {
            splitTest { split, two ->
                split.write { it.name() }.value shouldBe "a"
                split.read(Consistency.LATEST) { it.name() } shouldBe "a"
                split.read(Consistency.maxLag(60_000)) { it.name() } shouldBe "b"
                two.on("b", "update meta set lag = 120000")
                split.read(Consistency.maxLag(60_000)) { it.name() } shouldBe "a"
                split.read(Consistency.EVENTUAL) { it.name() } shouldBe "b"
                two.on("a", "update meta set place = 7")
                val token = split.write { it.exec("insert into t values ('row')") }.token
                split.read(Consistency.readYourWrites(token)) { it.name() } shouldBe "a"
                two.on("b", "update meta set place = 7")
                split.read(Consistency.readYourWrites(token)) { it.name() } shouldBe "b"
                split.pool.stats().leased shouldBe 0
            }
        }

        test("AT-03 a write that the primary refuses: none is sent there any more, and the next goes to the new one") {
            splitTest { split, two ->
                shouldThrow<StorageException.Platform> {
                    split.write { txn ->
                        txn.name() shouldBe "a"
                        two.replicas = setOf("a")
                        txn.scalar("select signal('25006', 'read-only transaction')")
                    }
                }.category shouldBe ErrorCategory.READ_ONLY
                repeat(20) { split.write { it.name() }.value shouldBe "b" }
                withTimeout(20.seconds) { while (split.read(Consistency.EVENTUAL) { it.name() } != "a") delay(5) }
            }
        }

        test("AT-27 no replica: a read waits for one where the primary must not serve it") {
            splitTest(SplitPolicy(allowPrimaryReads = false, checkTimeout = 20.seconds)) { split, two ->
                two.replicas = emptySet()
                split.read(Consistency.LATEST) { it.name() }
                two.replicas = setOf("a")
                withTimeout(20.seconds) { while (split.read(Consistency.EVENTUAL) { it.name() } != "a") delay(5) }
            }
        }
    })

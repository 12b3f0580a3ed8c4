package dev.carom.samples.bank

import dev.carom.pool.Backend
import dev.carom.pool.BackoffPolicy
import dev.carom.pool.PoolPolicy
import dev.carom.pool.fixedResolver
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.jdbc.JdbcConnect
import dev.carom.storage.jdbc.JdbcDialect
import dev.carom.storage.jdbc.openJdbc
import dev.carom.storage.sql.SqlPool
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.io.PrintStream
import java.sql.DriverManager
import java.util.UUID
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How long customers come before and after the restart. */
enum class Pace(val before: Duration, val after: Duration) {
    WATCHED(5.seconds, 5.seconds),
    TEST(1.seconds, 2.seconds),
}

/** Customers who change their minds, accounts that everybody wants, and a server that is restarted in the middle. */
class Demo(private val server: Server, private val out: PrintStream, private val pace: Pace) {
    private val tally = Tally()
    private val auditor = Auditor(server, NAME)
    private val afterRestart = AtomicInteger()

    @Volatile private var restarted = false

    suspend fun run(): Verdict = auditor.use {
        coroutineScope {
            val pool = openBank()
            try {
                val bank = Bank(pool)
                bank.open()
                out.println("$CUSTOMERS customers, ${Bank.ACCOUNTS} accounts, at most $LIMIT connections")
                val watch = launch(Dispatchers.IO) { while (isActive) auditor.look().also { delay(2) } }
                val customers = launch { repeat(CUSTOMERS) { n -> launch { shop(bank, Random(n)) } } }
                delay(pace.before)
                out.println("${said()}; the server is restarted now")
                withContext(Dispatchers.IO) { server.restart() }
                restarted = true
                out.println("it is back; ${said()}")
                // How long the pool takes to open its connections again is not in question here.
                withTimeoutOrNull(30.seconds) { while (afterRestart.get() == 0) delay(5) }
                delay(pace.after)
                customers.cancel()
                customers.join()
                watch.cancel()
                watch.join()
                // What was cancelled last is proven quiet before it is back.
                withTimeoutOrNull(60.seconds) { while (pool.stats().leased > 0) delay(5) }
                out.println("${said()}; ${pool.stats()}")
                withContext(Dispatchers.IO) {
                    Verdict.of(tally, auditor, LIMIT, afterRestart.get(), pool.stats().leased)
                }
            } finally {
                withContext(NonCancellable) { pool.close(0) }
            }
        }
    }

    private fun said() = "${tally.total} transfers so far, ${tally.count(Told.COMMITTED)} committed"

    private fun CoroutineScope.openBank(): SqlPool {
        val backend = Backend("bank", "127.0.0.1", server.port)
        val connect = JdbcConnect { DriverManager.getConnection(server.url(NAME)) }
        val connections = PoolPolicy(2, LIMIT, backoff = BackoffPolicy(max = 200.milliseconds))
        val policy =
            StoragePolicy(acquireTimeout = 10.seconds, cancelGrace = 30.seconds, resolveTimeout = 10.seconds)
        return openJdbc(NAME, JdbcDialect.POSTGRESQL, fixedResolver(backend), connect, connections, policy)
    }

    /** One transfer after the other, every third of them given up at some moment. */
    private suspend fun shop(bank: Bank, random: Random) = coroutineScope {
        while (isActive) {
            val transfer = launch { transfer(bank, random) }
            if (random.nextInt(3) == 0) {
                delay(random.nextInt(PATIENCE).milliseconds)
                transfer.cancel()
            }
            transfer.join()
        }
    }

    private suspend fun transfer(bank: Bank, random: Random) {
        val id = UUID.randomUUID()
        try {
            val enough = bank.transfer(id, account(random), account(random), random.nextLong(1, 200))
            // Nothing suspends between the commit and this line: what was committed is told, cancelled or not.
            tally.tell(id, if (enough) Told.COMMITTED else Told.TOO_POOR)
            if (restarted) afterRestart.incrementAndGet()
        } catch (e: CancellationException) {
            tally.tell(id, Told.CANCELLED)
            throw e
        } catch (e: StorageException) {
            tally.failed(id, e)
        }
    }

    private fun account(random: Random) = random.nextInt(1, Bank.ACCOUNTS + 1)

    companion object {
        const val NAME = "bank"
        const val LIMIT = 8
        private const val CUSTOMERS = 40
        private const val PATIENCE = 60
    }
}

package dev.carom.storage.jdbc

import dev.carom.pool.testkit.Fault
import dev.carom.pool.testkit.FaultProxy
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnStatus
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.scalar
import dev.carom.storage.txn
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import java.net.InetSocketAddress
import java.sql.Connection
import java.sql.DriverManager
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Long enough for an answer that does not come. */
private val BRIEF = 500.milliseconds

/** What becomes of a COMMIT whose caller is cancelled while the server is at it. */
class PostgresCommitTest :
    FunSpec({
        postgres(
            "AT-11: cancelled during COMMIT: whatever happens there, what is told is what is in the table",
        ) { server ->
            // Where there is no answer, the time for it is waited out; where there is one, it may take its time.
            for ((name, endings) in Ending.entries.groupBy { if (it == Ending.UNANSWERED) "silent" else "commits" }) {
                val patience = if (name == "silent") BRIEF else 20.seconds
                commits(server, name, resolveTimeout = 20.seconds, commitTimeout = patience) { rounds ->
                    repeat(if (soaking) 100 else 5) { endings.forEach { tells(it, rounds) } }
                }
            }
        }

        postgres("AT-11: cancelled during COMMIT, no answer, and nobody may ask: unknown, and no hook says otherwise") {
            commits(it, "unknown", resolveTimeout = Duration.ZERO) { rounds ->
                repeat(3) {
                    val told = rounds.cancelledIn(Ending.UNANSWERED)
                    told.status shouldBe TxnStatus.UNKNOWN
                    told.failure.shouldBeInstanceOf<StorageException.CommitOutcomeUnknown>()
                    // It did happen: that is why it may not be told as undone, nor be run again.
                    told.rows shouldBe 1L
                }
            }
        }
    })

private suspend fun tells(ending: Ending, rounds: Rounds) {
    val told = rounds.cancelledIn(ending)
    withClue(ending) {
        told.status shouldBe ending.truth
        told.rows shouldBe if (ending.truth == TxnStatus.COMMITTED) 1L else 0L
        when (ending) {
            // Done is done: the cancellation is for the next suspension.
            Ending.ANSWERED, Ending.UNANSWERED -> told.failure shouldBe null

            Ending.REFUSED -> told.failure.shouldBeInstanceOf<StorageException.Platform>()

            Ending.TERMINATED -> told.failure.shouldBeInstanceOf<StorageException.ConnBroken>()
        }
    }
}

/** What the server does with the commit, and the truth afterwards. */
private enum class Ending(val truth: TxnStatus) {
    ANSWERED(TxnStatus.COMMITTED),
    REFUSED(TxnStatus.ROLLED_BACK),
    UNANSWERED(TxnStatus.COMMITTED),
    TERMINATED(TxnStatus.ROLLED_BACK),
}

private class Told(val status: TxnStatus, val failure: Throwable?, val rows: Any?)

/** Commits that last until they are let go: a deferred trigger waits for a lock which [gate] holds. */
private class Rounds(private val world: PostgresWorld, private val proxy: FaultProxy, private val gate: Connection) {
    private var number = 0

    private fun ask(sql: String): Any? = gate.createStatement().use { statement ->
        statement.executeQuery(sql).use { it.next().run { it.getObject(1) } }
    }

    suspend fun cancelledIn(ending: Ending): Told {
        val id = ++number
        ask("select pg_advisory_lock(7)")
        val status = CompletableDeferred<TxnStatus>()
        val failure = CompletableDeferred<Throwable?>()
        val caller = CoroutineScope(Dispatchers.Default).launch {
            try {
                world.pool.txn { txn ->
                    txn.hooks.afterCompletion { status.complete(it) }
                    txn.exec("insert into t values (?, ?)", id, ending == Ending.REFUSED)
                }
                failure.complete(null)
            } catch (e: CancellationException) {
                failure.complete(e)
                throw e
            } catch (e: StorageException) {
                failure.complete(e)
            }
        }
        world.until("it commits") { committing("wait_event_type = 'Lock'") == 1L }
        caller.cancel()
        when (ending) {
            Ending.ANSWERED, Ending.REFUSED -> Unit
            Ending.UNANSWERED -> proxy.connections.forEach { it.fault = Fault.BLACK_HOLE }
            Ending.TERMINATED -> ask("select pg_terminate_backend(pid) from pg_stat_activity where $COMMITTING")
        }
        ask("select pg_advisory_unlock(7)")
        caller.join()
        world.until("no commit goes on") { committing() == 0L }
        return Told(status.await(), failure.await(), ask("select count(*) from t where id = $id"))
    }

    private fun committing(also: String = "true") =
        ask("select count(*) from pg_stat_activity where $COMMITTING and $also")

    private companion object {
        const val COMMITTING = "datname = current_database() and state = 'active' and query ilike 'commit%'"
    }
}

private suspend fun commits(
    server: PostgresServer,
    name: String,
    resolveTimeout: Duration,
    commitTimeout: Duration = BRIEF,
    block: suspend (Rounds) -> Unit,
) = FaultProxy(InetSocketAddress("127.0.0.1", server.port)).use { proxy ->
    val policy =
        StoragePolicy(
            commitTimeout = commitTimeout,
            resolveTimeout = resolveTimeout,
            cancelGrace = BRIEF,
        )
    // The server would end a commit whose client has gone: here the proxy is still there.
    // One that was idle is asked before it is lent: it may have been among those that are not answered any more.
    val jdbc = JdbcPolicy(checkInterval = Duration.ZERO, validateAfter = Duration.ZERO)
    server.world(name, sessions = 2, policy, jdbc, proxy.port) { world ->
        world.pool.exec("create table t (id int, refused bool)")
        world.pool.exec(
            """
            create function late() returns trigger language plpgsql as '
            begin
                perform pg_advisory_xact_lock(7);
                if new.refused then raise exception ''no''; end if;
                return null;
            end'
            """,
        )
        world.pool.exec(
            "create constraint trigger late after insert on t deferrable initially deferred for each row execute function late()",
        )
        world.pool.scalar("select count(*) from t") shouldBe 0L
        DriverManager.getConnection(server.url(name)).use { gate -> block(Rounds(world, proxy, gate)) }
    }
}

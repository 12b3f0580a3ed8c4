package dev.carom.storage.memory

import dev.carom.storage.Capabilities
import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.LocalSessions
import dev.carom.storage.SessionTxn
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnPolicy
import dev.carom.storage.keyvalue.KeyCondition
import dev.carom.storage.keyvalue.KeyValueDriver
import dev.carom.storage.keyvalue.KeyValuePool
import dev.carom.storage.keyvalue.ScanPage
import dev.carom.storage.keyvalue.openKeyValue
import kotlinx.coroutines.CoroutineScope
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

/**
 * A key-value storage in memory, with snapshot transactions (the first committer wins; at SERIALIZABLE also about what was
 * only read), savepoints and expiry. Several pools may stand on one. Each write copies the map.
 *
 * @param timeSource for expiry.
 */
public class MemoryKeyValue(timeSource: TimeSource) {
    public constructor() : this(TimeSource.Monotonic)

    private val start = timeSource.markNow()
    internal val entries = VersionedMap<Entry>()
    internal val now: Duration get() = start.elapsedNow()

    /** What is committed and has not expired. */
    public fun toMap(): Map<String, String> = entries.current.filterValues {
        it.lives(now)
    }.mapValues { it.value.value }

    /** Opens a pool of [sessions] sessions on this storage. */
    public fun open(scope: CoroutineScope, name: String, sessions: Int, policy: StoragePolicy): KeyValuePool =
        open(scope, name, sessions, policy, TimeSource.Monotonic)

    /** [open] with a clock of one's own. */
    public fun open(
        scope: CoroutineScope,
        name: String,
        sessions: Int,
        policy: StoragePolicy,
        timeSource: TimeSource,
    ): KeyValuePool {
        val source = LocalSessions(sessions) { MemoryKeyValueSession(this) }
        return scope.openKeyValue(name, MemoryKeyValueDriver(), source, policy, timeSource, Random.Default)
    }
}

/** A value; each write makes another one, so identity is the version. */
internal class Entry(val value: String, val until: Duration) {
    fun lives(now: Duration): Boolean = now < until
}

/** A session on a [MemoryKeyValue]. */
public class MemoryKeyValueSession(private val storage: MemoryKeyValue) {
    internal val data = VersionedSession(storage.entries)

    internal fun until(ttlMillis: Long): Duration =
        if (ttlMillis == 0L) Duration.INFINITE else storage.now + ttlMillis.milliseconds

    internal fun live(entry: Entry?): Entry? = entry?.takeIf { it.lives(storage.now) }
}

/** The driver of [MemoryKeyValue]. */
public class MemoryKeyValueDriver : KeyValueDriver<MemoryKeyValueSession> {
    override val capabilities: Capabilities = Capabilities(MEMORY_ISOLATIONS, savepoints = true, readOnly = true)

    override suspend fun begin(session: MemoryKeyValueSession, policy: TxnPolicy): Unit = session.data.begin(policy)

    override suspend fun commit(session: MemoryKeyValueSession): Unit = session.data.commit()

    override suspend fun rollback(session: MemoryKeyValueSession): Unit = session.data.rollback()

    override suspend fun savepoint(session: MemoryKeyValueSession, name: String): Unit = session.data.savepoint(name)

    override suspend fun releaseSavepoint(session: MemoryKeyValueSession, name: String): Unit = session.data.release(
        name,
    )

    override suspend fun rollbackToSavepoint(session: MemoryKeyValueSession, name: String): Unit =
        session.data.rollbackTo(name)

    override fun txnOf(session: MemoryKeyValueSession): SessionTxn = session.data.state

    override fun classify(error: Throwable): ErrorInfo? = classifyMemory(error)

    override suspend fun getAll(session: MemoryKeyValueSession, keys: Collection<String>): Map<String, String> {
        val values = LinkedHashMap<String, String>()
        for (key in keys) session.live(session.data.read(key))?.let { values[key] = it.value }
        return values
    }

    override suspend fun set(
        session: MemoryKeyValueSession,
        key: String,
        value: String,
        ttlMillis: Long,
        onlyIf: KeyCondition,
    ): Boolean = session.data.write(key) { old ->
        val fits = when (onlyIf) {
            KeyCondition.ALWAYS -> true
            KeyCondition.ABSENT -> session.live(old) == null
            KeyCondition.PRESENT -> session.live(old) != null
        }
        if (fits) Entry(value, session.until(ttlMillis)) to true else old to false
    }

    override suspend fun compareAndSet(
        session: MemoryKeyValueSession,
        key: String,
        expected: String?,
        value: String,
    ): Boolean = session.data.write(key) { old ->
        if (session.live(old)?.value == expected) Entry(value, Duration.INFINITE) to true else old to false
    }

    override suspend fun delete(session: MemoryKeyValueSession, key: String): Boolean =
        session.data.write(key) { old -> null to (session.live(old) != null) }

    override suspend fun expire(session: MemoryKeyValueSession, key: String, ttlMillis: Long): Boolean =
        session.data.write(key) { old ->
            val live = session.live(old)
            if (live == null) old to false else Entry(live.value, session.until(ttlMillis)) to true
        }

    override suspend fun increment(session: MemoryKeyValueSession, key: String, by: Long): Long =
        session.data.write(key) { old ->
            val live = session.live(old)
            val before = if (live == null) 0 else live.value.toLongOrNull() ?: throw notWhole(key)
            val sum = before + by
            if ((before xor sum) and (by xor sum) < 0) throw overflows(key)
            Entry(sum.toString(), live?.until ?: Duration.INFINITE) to sum
        }

    private fun overflows(key: String) = MemoryError(ErrorCategory.CHECK, "the sum at \"$key\" overflows")

    private fun notWhole(key: String) = MemoryError(ErrorCategory.CHECK, "what is at \"$key\" is not a whole number")

    override suspend fun scan(session: MemoryKeyValueSession, prefix: String, cursor: Any?): ScanPage {
        val after = cursor as String?
        val found = session.data.keys.asSequence()
            .filter { it.startsWith(prefix) && (after == null || it > after) }
            .sorted()
            .take(PAGE)
            .toList()
        val live = found.filter { session.live(session.data.read(it)) != null }
        return ScanPage(live, found.lastOrNull()?.takeIf { found.size == PAGE })
    }

    private companion object {
        const val PAGE = 256
    }
}

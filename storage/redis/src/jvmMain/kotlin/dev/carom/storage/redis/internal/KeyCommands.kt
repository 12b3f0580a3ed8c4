package dev.carom.storage.redis.internal

import dev.carom.storage.keyvalue.KeyCondition
import dev.carom.storage.keyvalue.ScanPage
import dev.carom.storage.redis.RedisSession
import io.lettuce.core.ScanArgs
import io.lettuce.core.ScanCursor
import io.lettuce.core.ScriptOutputType
import io.lettuce.core.SetArgs
import io.lettuce.core.api.async.RedisAsyncCommands

/** The operations as commands that take effect at once. */
internal object KeyCommands {
    suspend fun getAll(session: RedisSession, keys: Collection<String>): Map<String, String> {
        val only = keys.singleOrNull()
        if (only != null) return session.send { it.get(only) }?.let { mapOf(only to it) }.orEmpty()
        if (keys.isEmpty()) return emptyMap()
        val values = LinkedHashMap<String, String>()
        for (pair in session.send { it.mget(*keys.toTypedArray()) }) if (pair.hasValue()) values[pair.key] = pair.value
        return values
    }

    suspend fun set(
        session: RedisSession,
        key: String,
        value: String,
        ttlMillis: Long,
        onlyIf: KeyCondition,
    ): Boolean {
        val args = SetArgs()
        if (ttlMillis > 0) args.px(ttlMillis)
        when (onlyIf) {
            KeyCondition.ALWAYS -> Unit
            KeyCondition.ABSENT -> args.nx()
            KeyCondition.PRESENT -> args.xx()
        }
        return session.send { it.set(key, value, args) } != null
    }

    suspend fun compareAndSet(session: RedisSession, key: String, expected: String?, value: String): Boolean {
        val args = if (expected == null) arrayOf("0", "", value) else arrayOf("1", expected, value)
        return isOne(session.send { it.eval<Long>(COMPARE_AND_SET, ScriptOutputType.INTEGER, arrayOf(key), *args) })
    }

    suspend fun expire(session: RedisSession, key: String, ttlMillis: Long): Boolean = if (ttlMillis > 0) {
        session.send { it.pexpire(key, ttlMillis) }
    } else {
        isOne(session.send { it.eval<Long>(KEEP, ScriptOutputType.INTEGER, arrayOf(key)) })
    }

    suspend fun scan(session: RedisSession, prefix: String, cursor: String?): ScanPage {
        val from = if (cursor == null) ScanCursor.INITIAL else ScanCursor.of(cursor)
        val args = ScanArgs.Builder.matches("${escaped(prefix)}*").limit(PAGE)
        val page = session.send { it.scan(from, args) }
        return ScanPage(page.keys.distinct(), page.cursor.takeIf { !page.isFinished })
    }

    /** In a MULTI: the answer comes with the EXEC. */
    fun write(commands: RedisAsyncCommands<String, String>, key: String, change: Pending) {
        when (change) {
            is Pending.Gone -> commands.del(key)

            is Pending.Put -> when (val expiry = change.expiry) {
                is Expiry.Never -> commands.set(key, change.value)
                is Expiry.After -> commands.set(key, change.value, SetArgs().px(expiry.millis))
                is Expiry.Keep -> commands.set(key, change.value, SetArgs().keepttl())
            }
        }
    }

    private fun isOne(answer: Long?): Boolean = answer == 1L

    /** The prefix itself, where MATCH would see a pattern. */
    internal fun escaped(prefix: String): String =
        buildString { for (c in prefix) append(if (c in "*?[]^\\") "\\$c" else c) }

    private const val PAGE = 256L

    private const val COMPARE_AND_SET =
        "local v = redis.call('get', KEYS[1]) " +
            "if (ARGV[1] == '1' and v == ARGV[2]) or (ARGV[1] == '0' and not v) then " +
            "redis.call('set', KEYS[1], ARGV[3]) return 1 end return 0"

    private const val KEEP =
        "if redis.call('exists', KEYS[1]) == 0 then return 0 end redis.call('persist', KEYS[1]) return 1"
}

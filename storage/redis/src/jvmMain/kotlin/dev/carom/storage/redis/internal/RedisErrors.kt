package dev.carom.storage.redis.internal

import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.redis.RedisConflict
import dev.carom.storage.redis.RedisRefusal
import io.lettuce.core.RedisCommandExecutionException
import io.lettuce.core.RedisCommandTimeoutException
import io.lettuce.core.RedisException
import java.io.IOException

/** What an error of Lettuce or of the server means. The server's errors begin with a word that says what they are. */
internal fun classifyRedis(error: Throwable): ErrorInfo? = when (error) {
    is RedisConflict -> ErrorInfo(ErrorCategory.SERIALIZATION, state = "EXEC")

    is RedisRefusal -> ErrorInfo(error.category)

    is RedisCommandTimeoutException -> ErrorInfo(ErrorCategory.TIMEOUT, broken = true)

    is RedisCommandExecutionException -> {
        val text = error.message.orEmpty()
        val word = text.substringBefore(' ')
        ErrorInfo(category(word, text), broken = word in BROKEN, state = word)
    }

    // Not from the server: the connection is lost, or was never there.
    is RedisException, is IOException -> ErrorInfo(ErrorCategory.CONNECTION, broken = true)

    else -> null
}

private fun category(word: String, text: String): ErrorCategory = when (word) {
    "UNBLOCKED" -> ErrorCategory.CANCELLED
    "NOAUTH", "WRONGPASS", "NOPERM" -> ErrorCategory.AUTH
    "READONLY" -> ErrorCategory.READ_ONLY
    "OOM", "LOADING", "BUSY", "MASTERDOWN", "NOREPLICAS", "MISCONF" -> ErrorCategory.RESOURCE
    "WRONGTYPE" -> ErrorCategory.CHECK
    "ERR" -> generalCategory(text)
    else -> ErrorCategory.OTHER
}

private fun generalCategory(text: String): ErrorCategory = when {
    "not an integer" in text || "would overflow" in text -> ErrorCategory.CHECK
    "unknown command" in text || "wrong number of arguments" in text || "syntax" in text -> ErrorCategory.SYNTAX
    else -> ErrorCategory.OTHER
}

/** A server that was demoted takes no writes any more: its connections are of no use to a pool that wants to write. */
private val BROKEN = setOf("READONLY", "MASTERDOWN")

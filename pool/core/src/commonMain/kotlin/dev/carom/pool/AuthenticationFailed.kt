package dev.carom.pool

import kotlin.jvm.JvmOverloads

/**
 * The backend did not accept the credentials. A connector throws it from `connect`, and the pool waits for
 * [PoolPolicy.authBackoff] instead of [PoolPolicy.backoff]: attempts in quick succession would lock the account.
 *
 * The message must not contain the credentials.
 */
public open class AuthenticationFailed
@JvmOverloads
constructor(message: String, cause: Throwable? = null) :
    RuntimeException(message, cause)

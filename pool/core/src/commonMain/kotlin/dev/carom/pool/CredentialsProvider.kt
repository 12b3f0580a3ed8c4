package dev.carom.pool

/**
 * Who a connector logs in as.
 *
 * @property user the name; not secret, appears in [toString].
 * @property password never appears anywhere.
 */
public class Credentials(public val user: String, public val password: Secret) {
    override fun toString(): String = "Credentials($user, $password)"
}

/**
 * Says, anew for each connection, who to log in as; so that rotated passwords and short-lived tokens need no restart. From
 * Java: `BlockingCredentialsProvider`.
 *
 * A [Connector] that logs in asks it in each [Connector.connect] and throws [AuthenticationFailed] when the peer says no.
 */
public fun interface CredentialsProvider {
    /**
     * The credentials for one connection to [backend]. May ask a vault; must not block its thread. May be called by many
     * connects at once.
     *
     * *Cancelled* when the connect is: what it throws otherwise fails that one connect.
     */
    public suspend fun credentials(backend: Backend): Credentials
}

/**
 * The peer does not accept this login. A [Connector] throws it, or a subclass, from [Connector.connect]: trying again soon
 * would not help and may lock the account, so the pool backs off long.
 *
 * @param message without the password.
 */
public open class AuthenticationFailed(message: String, cause: Throwable?) : Exception(message, cause) {
    /** Without a cause. */
    public constructor(message: String) : this(message, null)
}

package dev.carom.storage.jdbc

import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of connections over JDBC, beside those of the pool and of the storage. Checked when constructed. From Java:
 * `JdbcPolicyBuilder`.
 *
 * @property role what the backends must be for, as the servers themselves say; asked of each new connection and once per
 *   [PoolPolicy.roleInterval]. A backend that answers a statement with "read only" leaves the role at once. Null: any, and
 *   nobody asks. PostgreSQL, MariaDB and MySQL know it; with others it must be null.
 * @property checkInterval how often PostgreSQL (14 and later, where its platform can) looks whether the client of a running
 *   statement is still there: so a statement whose connection was cut off ends. At least 1 ms, at most 1 hour; zero leaves
 *   the server's own setting.
 * @property linger how long a connection that was cut off under a statement counts as one of [PoolPolicy.maxSlots] after
 *   that, since the server may still be at work for it. Not negative, finite; bounded by [PoolPolicy.closeTimeout], too. Keep
 *   it above [checkInterval].
 * @property validateAfter how long a connection may have been idle before it is asked, when it is lent, whether it still
 *   works: a round trip. One that does not is closed, and the caller gets another; nothing is sent twice for that. Not
 *   negative; zero asks always, infinite never. Besides, idle ones are asked every [PoolPolicy.healthInterval].
 */
public class JdbcPolicy(
    public val role: Role? = null,
    public val checkInterval: Duration = 500.milliseconds,
    public val linger: Duration = 1.seconds,
    public val validateAfter: Duration = 1.seconds,
) {
    init {
        require(role != Role.Unknown) { "role must be Primary, Replica or null, was $role" }
        require(checkInterval == Duration.ZERO || checkInterval in 1.milliseconds..MAX_CHECK) {
            "checkInterval must be zero or in 1ms..$MAX_CHECK, was $checkInterval"
        }
        require(!linger.isNegative() && linger.isFinite()) {
            "linger must not be negative and must be finite, was $linger"
        }
        require(!validateAfter.isNegative()) { "validateAfter must not be negative, was $validateAfter" }
    }

    override fun toString(): String =
        "JdbcPolicy(role=$role, checkInterval=$checkInterval, linger=$linger, validateAfter=$validateAfter)"

    private companion object {
        val MAX_CHECK = 3_600.seconds
    }
}

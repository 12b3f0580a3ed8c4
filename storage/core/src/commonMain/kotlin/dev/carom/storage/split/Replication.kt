package dev.carom.storage.split

import dev.carom.storage.SessionLease
import kotlin.time.Duration
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * What a platform tells about its replicas. Asked on sessions that nothing else uses, outside transactions. Calls must not
 * block the thread; a cancelled one may go on to its end.
 *
 * @param S the session.
 */
public interface Replication<S : Any> {
    /** On a session of the primary: a place in its log behind everything that is committed now. */
    public suspend fun token(session: S): WriteToken

    /** On a session of a replica: whether it has everything up to [token]. Once it has, it has for good. */
    public suspend fun hasReached(session: S, token: WriteToken): Boolean

    /** Whether everything up to [earlier] is there where everything up to [later] is. Without asking anybody. */
    public fun covers(later: WriteToken, earlier: WriteToken): Boolean

    /** On a session of a replica: how far it is behind, in milliseconds; [Long.MAX_VALUE] if it cannot tell. */
    public suspend fun lagMillis(session: S): Long
}

/**
 * Sessions of several servers of one storage, of which one takes the writes.
 *
 * @param S the session.
 */
public interface RoleSource<S : Any> {
    /** Most sessions at a time, over all servers. */
    public val capacity: Int

    /** A ready session, if nobody waits for one of that kind. Never waits. */
    public fun tryLease(role: SessionRole): RoleLease<S>?

    /** Waits for a session of the primary; until some server is the primary, if none is. */
    public suspend fun leasePrimary(holder: String): RoleLease<S>

    /** Waits for a session of a replica that is not among [except]; null at once if no such replica is there. */
    public suspend fun leaseReplica(holder: String, except: Set<String>): RoleLease<S>?

    /** Destroys the idle sessions, and the lent ones when they come back. Returns when none is left. */
    public suspend fun close()
}

/** What a server is for. */
public enum class SessionRole { PRIMARY, REPLICA }

/** A session on loan that knows where it leads. */
public interface RoleLease<S : Any> : SessionLease<S> {
    /** Which server; another name is another server. */
    public val server: String
}

/**
 * The numbers of a split. Checked when constructed. From Java: `SplitPolicyBuilder`.
 *
 * @property allowPrimaryReads whether the primary serves a read that no replica can: none is there, or none is far enough.
 *   Otherwise such a read waits for one.
 * @property lagMemory how long an answer about the lag is taken for true, its age added to it. At least 0, finite.
 * @property askAgain how long a read waits before it asks the replicas again, where the primary must not serve it. At least
 *   1 ms, finite.
 * @property checkTimeout longest wait for one answer of a replica; without, that replica is passed over and the connection
 *   destroyed. At least 1 ms, finite.
 */
public class SplitPolicy(
    public val allowPrimaryReads: Boolean = true,
    public val lagMemory: Duration = 100.milliseconds,
    public val askAgain: Duration = 20.milliseconds,
    public val checkTimeout: Duration = 2.seconds,
) {
    init {
        require(!lagMemory.isNegative() && lagMemory < INFINITE) {
            "lagMemory must not be negative and must be finite, was $lagMemory"
        }
        require(askAgain >= 1.milliseconds && askAgain < INFINITE) {
            "askAgain must be at least 1 ms and finite, was $askAgain"
        }
        require(checkTimeout >= 1.milliseconds && checkTimeout < INFINITE) {
            "checkTimeout must be at least 1 ms and finite, was $checkTimeout"
        }
    }

    override fun toString(): String =
        "SplitPolicy(allowPrimaryReads=$allowPrimaryReads, lagMemory=$lagMemory, askAgain=$askAgain, " +
            "checkTimeout=$checkTimeout)"
}

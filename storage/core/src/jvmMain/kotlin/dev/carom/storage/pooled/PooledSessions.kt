package dev.carom.storage.pooled

import dev.carom.pool.Claim
import dev.carom.pool.ClaimOptions
import dev.carom.pool.Pool
import dev.carom.pool.Role
import dev.carom.storage.SessionLease
import dev.carom.storage.SessionSource
import dev.carom.storage.split.RoleLease

/**
 * A Carom pool as the source of sessions: a storage on it follows what the pool's resolver says. Ends the pool when it is
 * closed.
 *
 * @param S the session, which is the pool's connection.
 * @property pool whose connections these are.
 * @param role what the backends must be for; null: anything.
 * @param check looks at a session that was idle before it is lent; null: nobody looks.
 */
public class PooledSessions<S : Any>(
    public val pool: Pool<S>,
    private val role: Role?,
    private val check: IdleCheck<S>?,
) : SessionSource<S> {
    public constructor(pool: Pool<S>) : this(pool, null, null)

    override val capacity: Int get() = pool.policy.maxSlots

    override fun tryLease(): SessionLease<S>? {
        // What is ready may be of another role: then the queue decides.
        if (role != null) return null
        val claim = pool.tryClaim() ?: return null
        if (check?.isDue(claim.connection) != true) return ClaimLease(claim)
        // To be looked at, which takes time: by whoever gets it in the queue.
        claim.close()
        return null
    }

    override suspend fun lease(holder: String): SessionLease<S> = alive(check) {
        if (role == null) pool.claim(holder) else pool.claim(ClaimOptions(holder, role = role))
    }

    override suspend fun close() {
        pool.close(0)
    }

    override fun toString(): String = "sessions of $pool"
}

/**
 * Looks at sessions that were idle, before they are lent: a server or a firewall may have ended the connection meanwhile. One
 * that is dead is closed, and whoever asked gets another in its place, with the same deadline. Nothing is ever sent twice: the
 * look comes before the operation, not after its failure.
 *
 * @param S the session.
 */
public interface IdleCheck<S : Any> {
    /** Whether [session] is to be looked at. Never waits. */
    public fun isDue(session: S): Boolean

    /** Whether [session] still works. Must be bounded in time, and must not throw because it does not. */
    public suspend fun isAlive(session: S): Boolean
}

/** What [claim] gives, the first that is not dead. */
internal suspend fun <S : Any> alive(check: IdleCheck<S>?, claim: suspend () -> Claim<S>): ClaimLease<S> {
    while (true) {
        val claimed = claim()
        if (check == null || !check.isDue(claimed.connection) || isAlive(check, claimed)) return ClaimLease(claimed)
    }
}

/** Ends [claim] if it is not. */
private suspend fun <S : Any> isAlive(check: IdleCheck<S>, claim: Claim<S>): Boolean {
    val alive = try {
        check.isAlive(claim.connection)
    } catch (failure: Throwable) {
        claim.discard()
        throw failure
    }
    if (!alive) claim.discard()
    return alive
}

/** A loan of the pool, as a loan of the storage. */
internal class ClaimLease<S : Any>(private val claim: Claim<S>) : RoleLease<S> {
    override val session: S = claim.connection
    override val server: String get() = "${claim.backend}"

    override fun report(cause: Throwable) {
        claim.report(cause)
    }

    override fun giveBack(): Unit = claim.close()

    override fun destroy(cause: Throwable?): Unit = claim.discard(cause)
}

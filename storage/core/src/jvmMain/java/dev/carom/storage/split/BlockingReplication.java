package dev.carom.storage.split;

import dev.carom.storage.internal.BlockingReplicationAdapter;

/**
 * {@link Replication} by calls that may block: all but {@link #covers} run on a thread of {@code Dispatchers.IO}. Each must
 * end by itself within {@link SplitPolicy#getCheckTimeout}, or soon after {@link #hasReached} or {@link #lagMillis} was
 * interrupted, which happens then: its session is destroyed. {@link #token} is never interrupted.
 *
 * @param <S> the session
 */
public interface BlockingReplication<S> {
    /**
     * On a session of the primary: a place in its log behind everything that is committed now.
     *
     * @throws Exception if that cannot be told: the write is done all the same, and its token {@link WriteToken#UNKNOWN}
     */
    WriteToken token(S session) throws Exception;

    /**
     * On a session of a replica: whether it has everything up to {@code token}. Once it has, it has for good.
     *
     * @throws Exception if that cannot be told: the replica is passed over
     */
    boolean hasReached(S session, WriteToken token) throws Exception;

    /** Whether everything up to {@code earlier} is there where everything up to {@code later} is. Never waits. */
    boolean covers(WriteToken later, WriteToken earlier);

    /**
     * On a session of a replica: how far it is behind, in milliseconds; {@link Long#MAX_VALUE} if it cannot tell.
     *
     * @throws Exception if that cannot be told: the replica is passed over
     */
    long lagMillis(S session) throws Exception;

    /** This for a {@link Split}. */
    default Replication<S> toReplication() {
        return new BlockingReplicationAdapter<>(this);
    }
}

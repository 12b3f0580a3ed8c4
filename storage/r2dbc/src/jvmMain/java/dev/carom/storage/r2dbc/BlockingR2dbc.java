package dev.carom.storage.r2dbc;

import dev.carom.pool.PoolPolicy;
import dev.carom.pool.Resolver;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.split.PostgresReplication;
import dev.carom.storage.split.Replication;
import dev.carom.storage.split.SplitPolicy;
import dev.carom.storage.sql.BlockingSqlPool;
import dev.carom.storage.sql.BlockingSqlSplit;

/** Opens relational pools over R2DBC for threads that block; {@link BlockingSqlPool#futures} does not block. */
public final class BlockingR2dbc {
    private BlockingR2dbc() {}

    /**
     * Opens a pool that lives until it is closed.
     *
     * @param name for messages and notices
     * @param dialect of the database
     * @param resolver which backends there are
     * @param connect how to open a connection
     * @param connections the numbers of the Carom pool
     * @param policy the numbers of the storage
     */
    public static BlockingSqlPool open(
            String name,
            R2dbcDialect dialect,
            Resolver resolver,
            R2dbcConnect connect,
            PoolPolicy connections,
            StoragePolicy policy) {
        return JavaCalls.inOwnScope(scope -> BlockingSqlPool.of(
                R2dbcKt.openR2dbc(scope, name, dialect, resolver, connect, connections, policy)));
    }

    /**
     * Opens a pool over a primary and its replicas that lives until it is closed. See {@code openR2dbcSplit}.
     *
     * @param replication what tells how far replicas are
     */
    public static BlockingSqlSplit openSplit(
            String name,
            R2dbcDialect dialect,
            Resolver resolver,
            R2dbcConnect connect,
            PoolPolicy connections,
            StoragePolicy policy,
            SplitPolicy split,
            Replication<R2dbcSession> replication) {
        return JavaCalls.inOwnScope(scope -> BlockingSqlSplit.of(R2dbcSplitKt.openR2dbcSplit(
                scope, name, dialect, resolver, connect, connections, policy, split, replication)));
    }

    /** {@link #openSplit} with the streaming replicas of PostgreSQL, and the defaults. */
    public static BlockingSqlSplit openPostgresSplit(
            String name, Resolver resolver, R2dbcConnect connect, PoolPolicy connections) {
        R2dbcDialect dialect = R2dbcDialect.POSTGRESQL;
        Replication<R2dbcSession> replication = new PostgresReplication<>(new R2dbcDriver(dialect));
        return openSplit(
                name, dialect, resolver, connect, connections, new StoragePolicy(), new SplitPolicy(), replication);
    }
}

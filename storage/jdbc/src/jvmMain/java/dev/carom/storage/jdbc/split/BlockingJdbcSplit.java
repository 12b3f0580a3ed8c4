package dev.carom.storage.jdbc.split;

import dev.carom.pool.PoolPolicy;
import dev.carom.pool.Resolver;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.jdbc.JdbcConnect;
import dev.carom.storage.jdbc.JdbcDialect;
import dev.carom.storage.jdbc.JdbcPolicy;
import dev.carom.storage.split.SplitPolicy;
import dev.carom.storage.sql.BlockingSqlSplit;

/** Opens relational pools over a primary and its replicas, over JDBC, for threads that block. */
public final class BlockingJdbcSplit {
    private BlockingJdbcSplit() {}

    /**
     * Opens a pool that lives until it is closed.
     *
     * @param connections its spares should be at least the number of servers
     * @param role what tells what a server is for
     * @param replication what tells how far replicas are
     * @param jdbc the numbers of JDBC, without a role
     */
    public static BlockingSqlSplit open(
            String name,
            JdbcDialect dialect,
            Resolver resolver,
            JdbcConnect connect,
            PoolPolicy connections,
            StoragePolicy policy,
            SplitPolicy split,
            JdbcRole role,
            JdbcReplication replication,
            JdbcPolicy jdbc) {
        return JavaCalls.inOwnScope(scope -> BlockingSqlSplit.of(JdbcSplitKt.openJdbcSplit(
                scope, name, dialect, resolver, connect, connections, policy, split, role, replication, jdbc)));
    }

    /** {@link #open} with the defaults of JDBC. */
    public static BlockingSqlSplit open(
            String name,
            JdbcDialect dialect,
            Resolver resolver,
            JdbcConnect connect,
            PoolPolicy connections,
            StoragePolicy policy,
            SplitPolicy split,
            JdbcRole role,
            JdbcReplication replication) {
        return open(
                name, dialect, resolver, connect, connections, policy, split, role, replication, new JdbcPolicy());
    }

    /** {@link #open} with the streaming replicas of PostgreSQL, and the defaults. */
    public static BlockingSqlSplit openPostgres(
            String name, Resolver resolver, JdbcConnect connect, PoolPolicy connections) {
        JdbcDialect dialect = JdbcDialect.POSTGRESQL;
        return open(
                name,
                dialect,
                resolver,
                connect,
                connections,
                new StoragePolicy(),
                new SplitPolicy(),
                JdbcRole.of(dialect),
                JdbcReplication.POSTGRESQL);
    }
}

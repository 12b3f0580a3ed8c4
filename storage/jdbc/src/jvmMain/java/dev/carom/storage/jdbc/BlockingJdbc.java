package dev.carom.storage.jdbc;

import dev.carom.pool.PoolPolicy;
import dev.carom.pool.Resolver;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.jdbc.internal.OwnScope;
import dev.carom.storage.sql.BlockingSqlPool;
import javax.sql.DataSource;

/** Opens relational pools over JDBC for threads that block. */
public final class BlockingJdbc {
    private BlockingJdbc() {}

    /**
     * Opens a pool that lives until it is closed.
     *
     * @param name for messages and notices
     * @param dialect of the database
     * @param resolver which backends there are
     * @param connect how to open a connection: autocommit on, as JDBC says, and clean
     * @param connections the numbers of the Carom pool
     * @param policy the numbers of the storage
     * @param jdbc the numbers of JDBC
     */
    public static BlockingSqlPool open(
            String name,
            JdbcDialect dialect,
            Resolver resolver,
            JdbcConnect connect,
            PoolPolicy connections,
            StoragePolicy policy,
            JdbcPolicy jdbc) {
        return BlockingSqlPool.of(OwnScope.open(name, dialect, resolver, connect, connections, policy, jdbc));
    }

    /** {@link #open(String, JdbcDialect, Resolver, JdbcConnect, PoolPolicy, StoragePolicy, JdbcPolicy)} with the defaults of JDBC. */
    public static BlockingSqlPool open(
            String name,
            JdbcDialect dialect,
            Resolver resolver,
            JdbcConnect connect,
            PoolPolicy connections,
            StoragePolicy policy) {
        return open(name, dialect, resolver, connect, connections, policy, new JdbcPolicy());
    }

    /**
     * {@code pool} for code that knows JDBC only. See {@link JdbcPool#dataSource}.
     *
     * @throws IllegalArgumentException if {@code pool} was not opened over JDBC
     */
    public static DataSource dataSource(BlockingSqlPool pool) {
        if (pool.sqlOps() instanceof JdbcPool) return ((JdbcPool) pool.sqlOps()).dataSource();
        throw new IllegalArgumentException(pool.name() + " is not over JDBC");
    }
}

package dev.carom.storage.redis;

import dev.carom.pool.PoolPolicy;
import dev.carom.pool.Resolver;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.keyvalue.BlockingKeyValueConn;
import dev.carom.storage.keyvalue.BlockingKeyValuePool;

/** Opens key-value pools over Redis for threads that block. */
public final class BlockingRedis {
    private BlockingRedis() {}

    /**
     * Opens a pool that lives until it is closed.
     *
     * @param name for messages and notices
     * @param resolver which backends there are
     * @param address what to connect to; {@link RedisAddress#PLAIN} is the backend's host and port
     * @param connections the numbers of the Carom pool
     * @param policy the numbers of the storage
     */
    public static BlockingKeyValuePool open(
            String name, Resolver resolver, RedisAddress address, PoolPolicy connections, StoragePolicy policy) {
        return JavaCalls.inOwnScope(scope ->
                BlockingKeyValuePool.of(RedisKt.openRedis(scope, name, resolver, address, connections, policy)));
    }

    /**
     * What else one can do with {@code pool}.
     *
     * @throws IllegalArgumentException if {@code pool} was not opened over Redis
     */
    public static BlockingRedisOps ops(BlockingKeyValuePool pool) {
        if (pool.keyValueOps() instanceof RedisOps) return new BlockingRedisOps((RedisOps) pool.keyValueOps());
        throw new IllegalArgumentException(pool.name() + " is not over Redis");
    }

    /**
     * What else one can do with {@code conn}.
     *
     * @throws IllegalArgumentException if {@code conn} is not of a pool over Redis
     */
    public static BlockingRedisOps ops(BlockingKeyValueConn conn) {
        if (conn.keyValueOps() instanceof RedisOps) return new BlockingRedisOps((RedisOps) conn.keyValueOps());
        throw new IllegalArgumentException(conn + " is not over Redis");
    }
}

package dev.carom.storage.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.StorageException;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.keyvalue.BlockingKeyValueConn;
import dev.carom.storage.keyvalue.BlockingKeyValuePool;
import dev.carom.storage.keyvalue.BlockingKeyValueTxn;
import dev.carom.storage.memory.MemoryKeyValue;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingRedisTest {
    @BeforeEach
    void installed() {
        assumeTrue(RedisServer.Companion.getShared() != null, "SKIPPED: redis-server is not on the PATH");
    }

    private static BlockingKeyValuePool open() {
        RedisServer server = RedisServer.Companion.getShared();
        assertNotNull(server);
        BlockingKeyValuePool pool = BlockingRedis.open(
                "redis",
                Resolvers.fixedResolver(server.getBackend()),
                server.database(),
                new PoolPolicyBuilder().spares(1).maxSlots(2).build(),
                new StoragePolicy());
        BlockingRedis.ops(pool).call(redis -> redis.flushdb());
        return pool;
    }

    @Test
    @DisplayName("from Java: keys and values, transactions, commands of Lettuce")
    void operations() {
        try (BlockingKeyValuePool pool = open()) {
            pool.set("a", "1");
            try (BlockingKeyValueTxn txn = pool.beginTxn()) {
                txn.set("a", "dropped");
            }
            pool.txn(txn -> txn.increment("a", 2));
            assertEquals("3", pool.get("a"));
            try (BlockingKeyValueConn conn = pool.conn()) {
                BlockingRedisOps redis = BlockingRedis.ops(conn);
                assertEquals(1, redis.push("jobs", "x"));
                assertEquals("x", redis.blockingPop("jobs", Duration.ofSeconds(1)));
                assertNull(redis.blockingPop("jobs", Duration.ofMillis(10)));
                assertEquals("PONG", redis.call(commands -> commands.ping()));
            }
        }
    }

    @Test
    @DisplayName("an interrupt ends what blocks on the server; the thread stays interrupted, the connection usable")
    void interrupt() {
        try (BlockingKeyValuePool pool = open()) {
            Thread.currentThread().interrupt();
            assertThrows(
                    StorageException.Interrupted.class,
                    () -> BlockingRedis.ops(pool).blockingPop("nothing", Duration.ZERO));
            assertTrue(Thread.interrupted());
            assertFalse(pool.delete("nothing"));
        }
    }

    @Test
    @DisplayName("cancelling a future ends what blocks on the server")
    void futures() {
        try (BlockingKeyValuePool pool = open()) {
            CompletableFuture<?> blocked =
                    BlockingRedis.ops(pool).callLater(redis -> redis.blpop(0.0, "nothing"));
            assertTrue(blocked.cancel(true));
            assertThrows(CancellationException.class, blocked::join);
            pool.set("a", "1");
            assertEquals("1", pool.futures().get("a").join());
        }
    }

    @Test
    @DisplayName("a pool that is not over Redis has nothing of Redis")
    void other() {
        try (BlockingKeyValuePool memory =
                BlockingKeyValuePool.open("memory", new MemoryKeyValue(), 1, new StoragePolicy())) {
            assertThrows(IllegalArgumentException.class, () -> BlockingRedis.ops(memory));
        }
    }
}

package dev.carom.storage.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.StorageFutures;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.TxnPolicy;
import dev.carom.storage.sql.BlockingSqlPool;
import io.opentelemetry.context.Scope;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.MDC;

@Timeout(60)
class BlockingContextTest {
    private static BlockingSqlPool open() {
        Embedded h2 = Embedded.Companion.h2("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
        BlockingSqlPool pool = BlockingJdbc.open(
                "carried",
                h2.getDialect(),
                Resolvers.fixedResolver(h2.getBackend()),
                h2.connect(),
                new PoolPolicyBuilder().spares(1).maxSlots(2).build(),
                new StoragePolicy());
        pool.exec("create alias carried for 'dev.carom.storage.jdbc.Carried.now'");
        return pool;
    }

    @Test
    @DisplayName("T32 from Java, blocking: what the caller's thread carries is in statements, in hooks and there afterwards")
    void blocking() {
        List<String> seen = new CopyOnWriteArrayList<>();
        try (BlockingSqlPool pool = open();
                Scope scope = Carried.traced("ada").makeCurrent()) {
            assertNotNull(scope);
            MDC.put(Carried.KEY, "ada");
            pool.txn(txn -> {
                seen.add(txn.one("select carried()").getString(0));
                txn.beforeCommit(() -> seen.add(Carried.now()));
                txn.afterCommit(() -> seen.add(Carried.now()));
                return seen.add(Carried.now());
            });
            seen.add(Carried.now());
        } finally {
            MDC.clear();
        }
        assertEquals(List.of("ada/ada", "ada/ada", "ada/ada", "ada/ada", "ada/ada"), seen);
        assertEquals("null/null", Carried.now());
    }

    @Test
    @DisplayName("T32 from Java, futures: what the thread that began carries is in hooks, and stays on no other thread")
    void futures() {
        List<String> seen = new CopyOnWriteArrayList<>();
        try (BlockingSqlPool pool = open();
                Scope scope = Carried.traced("bob").makeCurrent()) {
            assertNotNull(scope);
            MDC.put(Carried.KEY, "bob");
            CompletableFuture<Boolean> done = StorageFutures.txn(pool.storagePool(), TxnPolicy.Companion.getDEFAULT(), txn -> {
                txn.getHooks().afterCompletion((status, k) -> {
                    seen.add(Carried.now());
                    return kotlin.Unit.INSTANCE;
                });
                return CompletableFuture.completedFuture(true);
            });
            MDC.clear();
            assertEquals(true, done.join());
            assertEquals(List.of("bob/bob"), seen);
            assertEquals("null/bob", pool.one("select carried()").getString(0));
        } finally {
            MDC.clear();
        }
    }
}

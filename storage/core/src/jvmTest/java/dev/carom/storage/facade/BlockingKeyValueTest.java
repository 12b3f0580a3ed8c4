package dev.carom.storage.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.storage.StorageException;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.TxnPolicyBuilder;
import dev.carom.storage.keyvalue.BlockingKeyValueConn;
import dev.carom.storage.keyvalue.BlockingKeyValuePool;
import dev.carom.storage.keyvalue.BlockingKeyValueTxn;
import dev.carom.storage.keyvalue.KeyCondition;
import dev.carom.storage.memory.MemoryKeyValue;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingKeyValueTest {
    @Test
    @DisplayName("keys and values on the pool, on a connection, in a transaction and by futures")
    void operations() throws Exception {
        MemoryKeyValue storage = new MemoryKeyValue();
        try (BlockingKeyValuePool pool = BlockingKeyValuePool.open("memory", storage, 2, new StoragePolicy())) {
            pool.set("a", "1");
            assertEquals("1", pool.get("a"));
            assertNull(pool.get("b"));
            assertFalse(pool.set("a", "2", 0, KeyCondition.ABSENT));
            assertTrue(pool.compareAndSet("b", null, "2"));
            assertEquals(Map.of("a", "1", "b", "2"), pool.getAll(List.of("a", "b", "c")));
            assertEquals(6, pool.increment("a", 5));
            assertTrue(pool.expire("b", 60_000));
            try (BlockingKeyValueConn conn = pool.conn()) {
                assertTrue(conn.delete("b"));
                assertEquals("6", conn.futures().get("a").get());
            }
            try (BlockingKeyValueTxn txn = pool.beginTxn()) {
                txn.set("lost", "x");
            }
            try (BlockingKeyValueTxn txn = pool.beginTxn()) {
                txn.set("kept", "x");
                try (BlockingKeyValueTxn inner = txn.beginTxn()) {
                    inner.set("inner", "x");
                }
                txn.commit();
            }
            pool.futures().set("future", "x").get();
            assertEquals(Map.of("a", "6", "kept", "x", "future", "x"), storage.toMap());
            assertThrows(
                    StorageException.ReadOnlyViolation.class,
                    () -> pool.txn(new TxnPolicyBuilder().readOnly(true).build(), txn -> txn.delete("a")));
            pool.close(Duration.ZERO);
        }
    }
}

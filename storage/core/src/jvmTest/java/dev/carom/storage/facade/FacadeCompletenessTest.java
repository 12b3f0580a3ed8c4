package dev.carom.storage.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.carom.storage.BlockingSessions;
import dev.carom.storage.BlockingStorageConn;
import dev.carom.storage.BlockingStorageDriver;
import dev.carom.storage.BlockingStoragePool;
import dev.carom.storage.BlockingStorageTxn;
import dev.carom.storage.BlockingTransactable;
import dev.carom.storage.OpOptionsBuilder;
import dev.carom.storage.RetryPolicyBuilder;
import dev.carom.storage.StorageConn;
import dev.carom.storage.StorageDriver;
import dev.carom.storage.StorageFutures;
import dev.carom.storage.StoragePolicyBuilder;
import dev.carom.storage.StoragePool;
import dev.carom.storage.StorageTxn;
import dev.carom.storage.TxnHooks;
import dev.carom.storage.TxnPolicyBuilder;
import dev.carom.storage.keyvalue.BlockingKeyValueConn;
import dev.carom.storage.keyvalue.BlockingKeyValueOps;
import dev.carom.storage.keyvalue.BlockingKeyValuePool;
import dev.carom.storage.keyvalue.BlockingKeyValueTxn;
import dev.carom.storage.keyvalue.KeyValueFutures;
import dev.carom.storage.keyvalue.KeyValueOps;
import dev.carom.storage.sql.BlockingRows;
import dev.carom.storage.sql.BlockingSqlConn;
import dev.carom.storage.sql.BlockingSqlOps;
import dev.carom.storage.sql.BlockingSqlPool;
import dev.carom.storage.sql.BlockingSqlTxn;
import dev.carom.storage.sql.Rows;
import dev.carom.storage.sql.SqlFutures;
import dev.carom.storage.sql.SqlOps;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kotlin.coroutines.Continuation;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class FacadeCompletenessTest {
    private static final List<Class<?>> FACADES = List.of(
            BlockingStoragePool.class, BlockingStorageConn.class, BlockingStorageTxn.class, BlockingTransactable.class,
            BlockingTransactable.TxnWork.class, BlockingSessions.class, BlockingSessions.Work.class,
            BlockingStorageDriver.class, StorageFutures.class, TxnPolicyBuilder.class, RetryPolicyBuilder.class,
            OpOptionsBuilder.class, StoragePolicyBuilder.class, BlockingSqlOps.class, BlockingSqlPool.class,
            BlockingSqlConn.class, BlockingSqlTxn.class, BlockingRows.class, SqlFutures.class,
            BlockingKeyValueOps.class, BlockingKeyValuePool.class, BlockingKeyValueConn.class,
            BlockingKeyValueTxn.class, KeyValueFutures.class);

    /** Kotlin's properties read like methods in Java; milliseconds are a Duration. */
    private static final Map<String, String> RENAMED =
            Map.of("getHooks()", "afterCommit(Runnable)", "close(long)", "close(Duration)");

    /** {@code StorageFutures} has functions of handles: the handle comes first. */
    private static final Set<String> WAITING = Set.of(
            "conn(StoragePool)", "beginTxn(Transactable, TxnPolicy)", "commit(StorageTxn)", "rollback(StorageTxn)",
            "close(StorageConn)", "closeNow(StorageConn)", "close(StoragePool, Duration)",
            "txn(Transactable, TxnPolicy, Function)");

    private static Set<String> signatures(Class<?> type) {
        return Arrays.stream(type.getMethods())
                .filter(method -> !method.isSynthetic() && method.getDeclaringClass() != Object.class)
                .map(FacadeCompletenessTest::signature)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String signature(Method method) {
        return method.getName() + Arrays.stream(method.getParameterTypes())
                .filter(parameter -> parameter != Continuation.class)
                .map(Class::getSimpleName)
                .collect(Collectors.joining(", ", "(", ")"));
    }

    private static String inJava(String signature) {
        String renamed = RENAMED.getOrDefault(signature, signature);
        if (!renamed.startsWith("get") || !renamed.endsWith("()")) return renamed;
        return Character.toLowerCase(renamed.charAt(3)) + renamed.substring(4);
    }

    private static void assertHasAll(Class<?> facade, Class<?> type, String... elsewhere) {
        Set<String> missing = signatures(type).stream()
                .map(FacadeCompletenessTest::inJava)
                .collect(Collectors.toCollection(TreeSet::new));
        assertFalse(missing.isEmpty());
        missing.removeAll(signatures(facade));
        assertEquals(Set.of(elsewhere), missing, facade.getSimpleName() + " lacks these");
    }

    @Test
    @DisplayName("the blocking handles have all that pool, connection and transaction have")
    void handles() {
        assertHasAll(BlockingStoragePool.class, StoragePool.class);
        assertHasAll(BlockingStorageConn.class, StorageConn.class);
        assertHasAll(BlockingStorageTxn.class, StorageTxn.class);
    }

    @Test
    @DisplayName("the hooks are all there")
    void hooks() {
        Set<String> hooks = Arrays.stream(TxnHooks.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.getName().contains("$"))
                .map(Method::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        hooks.removeAll(Arrays.stream(BlockingStorageTxn.class.getMethods())
                .map(Method::getName)
                .toList());
        assertEquals(Set.of(), hooks);
    }

    @Test
    @DisplayName("the operations are all there, blocking and by future")
    void operations() {
        assertHasAll(BlockingSqlOps.class, SqlOps.class);
        assertHasAll(SqlFutures.class, SqlOps.class);
        assertHasAll(BlockingRows.class, Rows.class);
        assertHasAll(BlockingKeyValueOps.class, KeyValueOps.class);
        assertHasAll(KeyValueFutures.class, KeyValueOps.class);
    }

    @Test
    @DisplayName("what waits on a handle is there by future")
    void futures() {
        Set<String> missing = new TreeSet<>(WAITING);
        missing.removeAll(signatures(StorageFutures.class));
        assertEquals(Set.of(), missing);
    }

    @Test
    @DisplayName("a driver written in Java can do what one in Kotlin can; its cancel needs no coroutine, and its threads are given")
    void driver() {
        assertHasAll(BlockingStorageDriver.class, StorageDriver.class, "cancel(Object, Job)", "threads()");
    }

    @Test
    @DisplayName("no signature a Java caller sees has a Continuation, a Kotlin Duration or a mangled name")
    void plainJava() {
        for (Class<?> facade : FACADES) {
            List<Method> methods = Arrays.stream(facade.getDeclaredMethods())
                    .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                    .toList();
            assertFalse(methods.isEmpty(), facade.getSimpleName());
            for (Method method : methods) {
                assertFalse(method.getName().contains("-"), method.toString());
                String generic = method.toGenericString();
                assertFalse(
                        Stream.of("kotlin.coroutines", "kotlin.time", "kotlin.jvm.functions", "storage.internal")
                                .anyMatch(generic::contains),
                        generic);
            }
        }
    }
}

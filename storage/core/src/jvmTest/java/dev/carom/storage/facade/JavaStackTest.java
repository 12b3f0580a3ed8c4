package dev.carom.storage.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.carom.storage.BlockingSessions;
import dev.carom.storage.BlockingStorageConn;
import dev.carom.storage.BlockingStorageDriver;
import dev.carom.storage.BlockingStoragePool;
import dev.carom.storage.BlockingStorageTxn;
import dev.carom.storage.BlockingTransactable;
import dev.carom.storage.Capabilities;
import dev.carom.storage.ConnCore;
import dev.carom.storage.ErrorCategory;
import dev.carom.storage.ErrorInfo;
import dev.carom.storage.LocalSessions;
import dev.carom.storage.PoolCore;
import dev.carom.storage.Sessions;
import dev.carom.storage.SessionTxn;
import dev.carom.storage.StorageException;
import dev.carom.storage.StorageKind;
import dev.carom.storage.StorageMode;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.TxnCore;
import dev.carom.storage.TxnPolicy;
import dev.carom.storage.TxnPolicyBuilder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A storage type and its adapter written in Java: the operations once, and a class for each handle. */
@Timeout(60)
class JavaStackTest {
    interface StackOps extends BlockingSessions<StackSession> {
        default int push(String value) {
            return write(stack -> stack.push(value));
        }

        default @Nullable String peek() {
            return read(stack -> stack.items().peekLast());
        }

        default @Nullable String pop() {
            return write(StackSession::pop);
        }
    }

    static final class StackTxn extends BlockingStorageTxn implements StackOps, BlockingTransactable<StackTxn> {
        private final TxnCore<StackSession> core;

        StackTxn(TxnCore<StackSession> core) {
            super(core);
            this.core = core;
        }

        @Override
        public Sessions<StackSession> sessions() {
            return core;
        }

        @Override
        public StackTxn beginTxn(TxnPolicy policy) {
            return new StackTxn(BlockingTransactable.<TxnCore<StackSession>>begin(core, policy));
        }
    }

    static final class StackConn extends BlockingStorageConn<TxnCore<StackSession>, StackTxn> implements StackOps {
        private final ConnCore<StackSession> core;

        StackConn(ConnCore<StackSession> core) {
            super(core, StackTxn::new);
            this.core = core;
        }

        @Override
        public Sessions<StackSession> sessions() {
            return core;
        }
    }

    static final class StackPool
            extends BlockingStoragePool<ConnCore<StackSession>, TxnCore<StackSession>, StackConn, StackTxn>
            implements StackOps {
        private final PoolCore<StackSession> core;

        StackPool(PoolCore<StackSession> core) {
            super(core, StackConn::new, StackTxn::new);
            this.core = core;
        }

        @Override
        public Sessions<StackSession> sessions() {
            return core;
        }
    }

    /** Outside a transaction each change is shared at once; inside at the commit, if nobody was faster. */
    static final class StackSession {
        private final AtomicReference<List<String>> shared;
        private @Nullable List<String> base;
        private List<String> own = List.of();
        private final Deque<List<String>> savepoints = new ArrayDeque<>();

        StackSession(AtomicReference<List<String>> shared) {
            this.shared = shared;
        }

        ArrayDeque<String> items() {
            return new ArrayDeque<>(base == null ? shared.get() : own);
        }

        int push(String value) {
            ArrayDeque<String> items = items();
            items.addLast(value);
            put(items);
            return items.size();
        }

        @Nullable String pop() {
            ArrayDeque<String> items = items();
            String last = items.pollLast();
            put(items);
            return last;
        }

        private void put(ArrayDeque<String> items) {
            if (base == null) shared.set(List.copyOf(items));
            else own = List.copyOf(items);
        }
    }

    static final class Conflict extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    static final class StackDriver implements BlockingStorageDriver<StackSession> {
        @Override
        public StorageKind kind() {
            return new StorageKind("stack");
        }

        @Override
        public Capabilities capabilities() {
            return new Capabilities(Set.of(), true, true, false, false);
        }

        @Override
        public void begin(StackSession session, TxnPolicy policy) {
            session.own = session.base = session.shared.get();
        }

        @Override
        public void commit(StackSession session) {
            List<String> from = session.base;
            session.base = null;
            if (!session.shared.compareAndSet(from, session.own)) throw new Conflict();
        }

        @Override
        public void rollback(StackSession session) {
            session.base = null;
        }

        @Override
        public void savepoint(StackSession session, String name) {
            session.savepoints.push(session.own);
        }

        @Override
        public void releaseSavepoint(StackSession session, String name) {
            session.savepoints.pop();
        }

        @Override
        public void rollbackToSavepoint(StackSession session, String name) {
            session.own = session.savepoints.pop();
        }

        @Override
        public SessionTxn txnOf(StackSession session) {
            return session.base == null ? SessionTxn.IDLE : SessionTxn.OPEN;
        }

        @Override
        public @Nullable ErrorInfo classify(Throwable error) {
            return error instanceof Conflict ? new ErrorInfo(ErrorCategory.SERIALIZATION, false, 0, "") : null;
        }
    }

    @Test
    @DisplayName("a storage type written in Java has all handles, types and rules of the others")
    void stack() {
        AtomicReference<List<String>> shared = new AtomicReference<>(List.of("a"));
        PoolCore<StackSession> core = BlockingStoragePool.core(
                "stack",
                new StackDriver().toDriver(),
                new LocalSessions<>(2, () -> new StackSession(shared)),
                new StoragePolicy());
        List<String> failures = new ArrayList<>();
        try (StackPool pool = new StackPool(core)) {
            assertEquals(2, pool.push("b"));
            assertEquals("b", pool.peek());
            assertEquals(StorageMode.POOL, pool.mode());
            try (StackConn conn = pool.conn()) {
                assertEquals("b", conn.pop());
                try (StackTxn txn = conn.beginTxn()) {
                    txn.push("lost");
                }
            }
            pool.txn(txn -> {
                txn.push("c");
                try (StackTxn inner = txn.beginTxn()) {
                    inner.push("undone");
                    assertEquals("a", pool.peek());
                }
                return txn.push("d");
            });
            assertEquals(List.of("a", "c", "d"), shared.get());
            assertThrows(
                    StorageException.ReadOnlyViolation.class,
                    () -> pool.txn(new TxnPolicyBuilder().readOnly(true).build(), txn -> txn.push("x")));
            StorageException.Platform lost = assertThrows(StorageException.Platform.class, () -> pool.txn(txn -> {
                txn.push("mine");
                return pool.push("theirs");
            }));
            failures.add(lost.getCategory().name());
        }
        assertEquals(List.of("SERIALIZATION"), failures);
        assertEquals(List.of("a", "c", "d", "theirs"), shared.get());
    }
}

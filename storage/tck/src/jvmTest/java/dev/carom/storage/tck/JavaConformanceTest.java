package dev.carom.storage.tck;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.carom.storage.BlockingSessions;
import dev.carom.storage.BlockingStorageDriver;
import dev.carom.storage.Capabilities;
import dev.carom.storage.ErrorCategory;
import dev.carom.storage.ErrorInfo;
import dev.carom.storage.Isolation;
import dev.carom.storage.LocalSessions;
import dev.carom.storage.SessionSource;
import dev.carom.storage.SessionTxn;
import dev.carom.storage.StorageDriver;
import dev.carom.storage.StorageKind;
import dev.carom.storage.TxnPolicy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** An adapter written in Java, and the suite as JUnit runs it: one dynamic test for each case. */
class JavaConformanceTest {
    @TestFactory
    Stream<DynamicTest> cases() {
        return StorageTck.cases(new MapTarget().toTarget()).stream()
                .map(test -> dynamicTest(test.getName(), test::runBlocking));
    }

    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;
        final ErrorCategory category;

        Refused(ErrorCategory category) {
            super(category.name());
            this.category = category;
        }
    }

    static final class MapSession {
        private final AtomicReference<Map<String, String>> shared;
        private final Deque<Map<String, String>> savepoints = new ArrayDeque<>();
        private @Nullable Map<String, String> base;
        private Map<String, String> own = Map.of();

        MapSession(AtomicReference<Map<String, String>> shared) {
            this.shared = shared;
        }

        Map<String, String> map() {
            return base == null ? shared.get() : own;
        }

        void put(String key, String value) {
            if (base == null) {
                shared.updateAndGet(now -> with(now, key, value));
            } else {
                own = with(own, key, value);
            }
        }

        private static Map<String, String> with(Map<String, String> map, String key, String value) {
            Map<String, String> next = new HashMap<>(map);
            next.put(key, value);
            return next;
        }
    }

    static final class MapDriver implements BlockingStorageDriver<MapSession> {
        @Override
        public StorageKind kind() {
            return new StorageKind("map");
        }

        @Override
        public Capabilities capabilities() {
            return new Capabilities(Set.of(Isolation.SERIALIZABLE), true, true, false, false);
        }

        @Override
        public void begin(MapSession session, TxnPolicy policy) {
            session.own = session.base = session.shared.get();
        }

        @Override
        public void commit(MapSession session) {
            Map<String, String> from = session.base;
            session.base = null;
            if (session.own != from && !session.shared.compareAndSet(from, session.own)) {
                throw new Refused(ErrorCategory.SERIALIZATION);
            }
        }

        @Override
        public void rollback(MapSession session) {
            session.base = null;
        }

        @Override
        public void savepoint(MapSession session, String name) {
            session.savepoints.push(session.own);
        }

        @Override
        public void releaseSavepoint(MapSession session, String name) {
            session.savepoints.pop();
        }

        @Override
        public void rollbackToSavepoint(MapSession session, String name) {
            session.own = session.savepoints.pop();
        }

        @Override
        public SessionTxn txnOf(MapSession session) {
            return session.base == null ? SessionTxn.IDLE : SessionTxn.OPEN;
        }

        @Override
        public @Nullable ErrorInfo classify(Throwable error) {
            return error instanceof Refused refused ? new ErrorInfo(refused.category, false, 0, "") : null;
        }
    }

    static final class MapTarget implements BlockingTckTarget<MapSession> {
        private final AtomicReference<Map<String, String>> shared = new AtomicReference<>(Map.of());

        @Override
        public String name() {
            return "java map";
        }

        @Override
        public StorageDriver<MapSession> driver() {
            return new MapDriver().toDriver();
        }

        @Override
        public SessionSource<MapSession> source(int capacity) {
            return new LocalSessions<>(capacity, () -> new MapSession(shared));
        }

        /** Its operations are over before anybody could stop them. */
        @Override
        public boolean stopsRunning() {
            return false;
        }

        @Override
        public void clear(BlockingSessions<MapSession> on) {
            shared.set(Map.of());
        }

        @Override
        public void write(BlockingSessions<MapSession> on, String key, String value) {
            on.write(session -> {
                session.put(key, value);
                return null;
            });
        }

        @Override
        public @Nullable String read(BlockingSessions<MapSession> on, String key) {
            return on.<@Nullable String>read(session -> session.map().get(key));
        }

        @Override
        public void fail(BlockingSessions<MapSession> on) {
            on.write(session -> {
                throw new Refused(ErrorCategory.CHECK);
            });
        }

        @Override
        public void slow(BlockingSessions<MapSession> on, long millis) {
            throw new UnsupportedOperationException("stopsRunning is false");
        }

        @Override
        public void readMany(BlockingSessions<MapSession> on, int count, IntConsumer each) {
            on.read(session -> {
                for (int n = 0; n < count; n++) each.accept(n);
                return null;
            });
        }
    }
}

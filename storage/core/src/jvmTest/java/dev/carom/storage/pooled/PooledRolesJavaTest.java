package dev.carom.storage.pooled;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.pool.Role;
import dev.carom.storage.Capabilities;
import dev.carom.storage.SessionTxn;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.TxnPolicy;
import dev.carom.storage.split.BlockingReplication;
import dev.carom.storage.split.Consistency;
import dev.carom.storage.split.Split;
import dev.carom.storage.split.SplitPolicyBuilder;
import dev.carom.storage.split.WriteToken;
import dev.carom.storage.split.Written;
import dev.carom.storage.sql.BlockingSqlCursor;
import dev.carom.storage.sql.BlockingSqlDriver;
import dev.carom.storage.sql.BlockingSqlSplit;
import dev.carom.storage.sql.ColumnInfo;
import dev.carom.storage.sql.Columns;
import dev.carom.storage.sql.Row;
import dev.carom.storage.sql.Sql;
import dev.carom.storage.sql.SqlResult;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import kotlin.time.TimeSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A primary and a replica of it, in memory: pool, driver and what tells of the replica are all written in Java. */
@Timeout(60)
class PooledRolesJavaTest {
    /** What the primary has; of that the replica has the first few. */
    private final List<Integer> log = new CopyOnWriteArrayList<>();
    private final AtomicInteger applied = new AtomicInteger();
    private final Semaphore asked = new Semaphore(0);
    private volatile long lag = 0;
    private volatile boolean mute = false;

    private static final class Session {
        final Role role;
        volatile SessionTxn txn = SessionTxn.IDLE;

        Session(Role role) {
            this.role = role;
        }
    }

    private static final class Servers implements BlockingConnector<Session> {
        @Override
        public Session connect(Backend backend) {
            return new Session(backend.getName().equals("first") ? Role.Primary : Role.Replica);
        }

        @Override
        public Role probeRole(Session session) {
            return session.role;
        }

        @Override
        public void close(Session session) {}
    }

    private final class Numbers implements BlockingSqlDriver<Session> {
        @Override
        public Capabilities capabilities() {
            return new Capabilities(Set.of(), false, true, false, false);
        }

        @Override
        public void begin(Session session, TxnPolicy policy) {
            session.txn = SessionTxn.OPEN;
        }

        @Override
        public void commit(Session session) {
            session.txn = SessionTxn.IDLE;
        }

        @Override
        public void rollback(Session session) {
            session.txn = SessionTxn.IDLE;
        }

        @Override
        public SessionTxn txnOf(Session session) {
            return session.txn;
        }

        @Override
        public SqlResult exec(Session session, Sql sql) {
            assertEquals(Role.Primary, session.role);
            log.add(log.size());
            return new SqlResult(1, List.of());
        }

        @Override
        public BlockingSqlCursor open(Session session, Sql sql) {
            int visible = session.role == Role.Primary ? log.size() : applied.get();
            Columns columns = new Columns(List.of(new ColumnInfo("count", "int"), new ColumnInfo("role", "text")));
            return new BlockingSqlCursor() {
                private @Nullable Row row = new Row(columns, List.of(visible, session.role.name()));

                @Override
                public Columns columns() {
                    return columns;
                }

                @Override
                public List<Row> fetch(int max) {
                    Row next = row;
                    row = null;
                    return next == null ? List.of() : List.of(next);
                }

                @Override
                public void close() {}
            };
        }
    }

    private final class Positions implements BlockingReplication<Session> {
        @Override
        public WriteToken token(Session session) {
            assertEquals(Role.Primary, session.role);
            if (mute) throw new IllegalStateException("nobody knows");
            return new WriteToken("" + log.size());
        }

        @Override
        public boolean hasReached(Session session, WriteToken token) {
            assertEquals(Role.Replica, session.role);
            boolean reached = applied.get() >= Integer.parseInt(token.getText());
            asked.release();
            return reached;
        }

        @Override
        public boolean covers(WriteToken later, WriteToken earlier) {
            return Integer.parseInt(later.getText()) >= Integer.parseInt(earlier.getText());
        }

        @Override
        public long lagMillis(Session session) {
            asked.release();
            return lag;
        }
    }

    private static String read(BlockingSqlSplit split, Consistency consistency) {
        return split.read(consistency, txn -> {
            Row row = txn.queryRow("count");
            return row.getInt("count") + " " + row.getString("role");
        });
    }

    @Test
    @DisplayName("from Java: writes go to the primary, reads to a replica that is far enough, each over one Carom pool")
    void split() {
        BlockingPool<Session> servers = BlockingPool.open(
                "servers",
                Resolvers.fixedResolver(new Backend("first", "localhost", 1), new Backend("second", "localhost", 2)),
                new Servers(),
                new PoolPolicyBuilder().spares(2).maxSlots(4).build());
        PooledRoles<Session> roles = new PooledRoles<>(servers.pool());
        assertEquals(4, roles.getCapacity());
        Split<Session> halves = new Split<>(
                roles,
                new Positions().toReplication(),
                new SplitPolicyBuilder()
                        .allowPrimaryReads(false)
                        .askAgain(Duration.ofMillis(1))
                        .lagMemory(Duration.ZERO)
                        .checkTimeout(Duration.ofSeconds(20))
                        .build(),
                TimeSource.Monotonic.INSTANCE);
        BlockingSqlSplit split = BlockingSqlSplit.open("numbers", new Numbers().toSqlDriver(), halves, new StoragePolicy());

        Written<Long> written = split.write(txn -> txn.exec("insert").getRowsAffected());
        assertEquals(1, written.getValue());
        assertEquals("1", written.getToken().getText());
        assertEquals("0 Replica", read(split, Consistency.EVENTUAL));
        assertEquals("1 Primary", read(split, Consistency.LATEST));

        // A read of what was written waits until the replica has it.
        CompletableFuture<String> own =
                CompletableFuture.supplyAsync(() -> read(split, Consistency.readYourWrites(written.getToken())));
        asked.acquireUninterruptibly();
        applied.set(1);
        assertEquals("1 Replica", own.join());

        lag = 60_000;
        asked.drainPermits();
        CompletableFuture<String> recent = CompletableFuture.supplyAsync(() -> read(split, Consistency.maxLag(59_000)));
        asked.acquireUninterruptibly();
        lag = 0;
        assertEquals("1 Replica", recent.join());
        assertEquals(3, split.stats().getReplicaReads());
        assertEquals(1, split.stats().getPrimaryReads());

        mute = true;
        assertEquals(WriteToken.UNKNOWN, split.write(txn -> txn.exec("insert")).getToken());
        split.close();
        assertEquals(0, servers.snapshot().getConnected());
    }
}

package dev.carom.storage.jdbc.split;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.StorageException;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.jdbc.JdbcDialect;
import dev.carom.storage.jdbc.JdbcPolicyBuilder;
import dev.carom.storage.memory.MemorySqlDriver;
import dev.carom.storage.memory.MemorySqlSession;
import dev.carom.storage.split.Consistency;
import dev.carom.storage.split.MariaReplication;
import dev.carom.storage.split.MysqlReplication;
import dev.carom.storage.split.SplitPolicy;
import dev.carom.storage.split.SplitPolicyBuilder;
import dev.carom.storage.split.WriteToken;
import dev.carom.storage.split.Written;
import dev.carom.storage.sql.BlockingSqlSplit;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingJdbcSplitTest {
    private static final String NAME = "select min(v) from t where length(v) = 1";

    @Test
    @DisplayName("from Java: writes on the primary, reads where they are served")
    void split() {
        TwoDatabases two = new TwoDatabases();
        try (BlockingSqlSplit split = BlockingJdbcSplit.open(
                "split",
                JdbcDialect.H2,
                Resolvers.fixedResolver(two.getBackends().toArray(Backend[]::new)),
                two.getConnect(),
                new PoolPolicyBuilder().spares(4).maxSlots(8).build(),
                new StoragePolicy(),
                new SplitPolicyBuilder()
                        .lagMemory(Duration.ZERO)
                        .checkTimeout(Duration.ofSeconds(20))
                        .build(),
                two.getRole(),
                two.getReplication(),
                new JdbcPolicyBuilder().validateAfter(Duration.ZERO).build())) {
            Written<String> written = split.write(txn -> txn.one(NAME).getString(0));
            assertEquals("a", written.getValue());
            assertEquals(new WriteToken("0"), written.getToken());
            String latest = split.read(Consistency.LATEST, txn -> txn.one(NAME).getString(0));
            assertEquals("a", latest);
            String near = split.read(
                    Consistency.readYourWrites(written.getToken()),
                    txn -> txn.one(NAME).getString(0));
            assertTrue(near.equals("a") || near.equals("b"));
            assertThrows(
                    StorageException.ReadOnlyViolation.class,
                    () -> split.read(Consistency.EVENTUAL, txn -> txn.exec("insert into t values ('x')")));
            assertTrue(split.stats().getPrimaryReads() >= 1);
        }
    }

    @Test
    @DisplayName("from Java: what tells how far the replicas of MariaDB and of MySQL are")
    void replications() {
        JdbcReplication[] all = {JdbcReplication.POSTGRESQL, JdbcReplication.MARIADB, JdbcReplication.MYSQL};
        assertEquals(3, Set.of(all).size());
        MariaReplication<MemorySqlSession> maria = new MariaReplication<>(new MemorySqlDriver());
        assertTrue(maria.covers(new WriteToken("0-1-2"), new WriteToken("0-1-1")));
        MysqlReplication<MemorySqlSession> mysql = new MysqlReplication<>(new MemorySqlDriver());
        assertTrue(mysql.covers(new WriteToken("a:1-9"), new WriteToken("a:3-4")));
    }

    @Test
    @DisplayName("policies say what is out of bounds")
    void policy() {
        SplitPolicy policy = SplitPolicyBuilder.from(new SplitPolicy())
                .allowPrimaryReads(false)
                .askAgain(Duration.ofMillis(5))
                .checkTimeout(Duration.ofSeconds(1))
                .build();
        assertEquals(Duration.ofMillis(5), SplitPolicyBuilder.from(policy).askAgain());
        IllegalArgumentException refused = assertThrows(
                IllegalArgumentException.class,
                () -> new SplitPolicyBuilder().askAgain(Duration.ZERO).build());
        assertTrue(refused.getMessage().contains("askAgain"));
        assertThrows(IllegalArgumentException.class, () -> JdbcRole.of(JdbcDialect.SQLITE));
    }
}

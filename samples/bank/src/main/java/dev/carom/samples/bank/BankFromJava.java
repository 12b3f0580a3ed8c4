package dev.carom.samples.bank;

import dev.carom.pool.Backend;
import dev.carom.pool.BackoffPolicyBuilder;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.ErrorCategory;
import dev.carom.storage.Isolation;
import dev.carom.storage.RetryPolicyBuilder;
import dev.carom.storage.StorageException;
import dev.carom.storage.StoragePolicyBuilder;
import dev.carom.storage.TxnPolicy;
import dev.carom.storage.TxnPolicyBuilder;
import dev.carom.storage.jdbc.BlockingJdbc;
import dev.carom.storage.jdbc.JdbcDialect;
import dev.carom.storage.jdbc.JdbcPolicyBuilder;
import dev.carom.storage.sql.BlockingSqlPool;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** The bank with threads: customers who are interrupted, and a server that is restarted. Ends with an exception if it fails. */
public final class BankFromJava {
    private static final String NAME = "bank-java";
    private static final int LIMIT = 8;
    private static final int CUSTOMERS = 16;
    private static final TxnPolicy SERIALIZABLE = new TxnPolicyBuilder().isolation(Isolation.SERIALIZABLE)
            .retry(new RetryPolicyBuilder().attempts(50).start(Duration.ofMillis(2)).max(Duration.ofMillis(50))
                    .categories(Set.of(ErrorCategory.SERIALIZATION, ErrorCategory.DEADLOCK)).build())
            .label("transfer").build();

    private final Tally tally = new Tally();
    private final AtomicInteger afterRestart = new AtomicInteger();
    private final AtomicBoolean open = new AtomicBoolean(true);
    private volatile boolean restarted;

    private BankFromJava() {}

    /** Runs it for about ten seconds. */
    public static void main(String[] args) throws Exception {
        try (Server server = Server.open()) {
            if (server == null) throw new IllegalStateException("no PostgreSQL can be started here");
            Verdict verdict = run(server, Duration.ofSeconds(3), Duration.ofSeconds(4));
            System.out.println("\n" + verdict);
            if (!verdict.getOk()) throw new IllegalStateException("not kept: " + verdict.getMissed());
        }
    }

    /** Customers come for so long before and after the restart. */
    public static Verdict run(Server server, Duration before, Duration after) throws Exception {
        return new BankFromJava().play(server, before, after);
    }

    private Verdict play(Server server, Duration before, Duration after) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        try (Auditor auditor = new Auditor(server, NAME); BlockingSqlPool pool = openPool(server)) {
            pool.exec("create table account (id int primary key, balance bigint not null check (balance >= 0))");
            pool.exec("create table book (id uuid primary key, source int, target int, amount bigint)");
            pool.exec("insert into account select n, ? from generate_series(1, ?) n", Bank.START, Bank.ACCOUNTS);
            Future<?> watch = threads.submit(() -> { while (open.get()) auditor.look(); });
            List<Future<?>> customers = IntStream.range(0, CUSTOMERS)
                    .<Future<?>>mapToObj(n -> threads.submit(() -> shop(pool, threads, new Random(n)))).toList();
            TimeUnit.NANOSECONDS.sleep(before.toNanos());
            server.restart();
            restarted = true;
            // How long the pool takes to open its connections again is not in question here.
            for (int n = 0; n < 6_000 && afterRestart.get() == 0; n++) TimeUnit.MILLISECONDS.sleep(5);
            TimeUnit.NANOSECONDS.sleep(after.toNanos());
            open.set(false);
            for (Future<?> customer : customers) customer.get();
            watch.get();
            // Transfers that were interrupted still have to say what became of them.
            threads.shutdown();
            if (!threads.awaitTermination(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("transfers have not ended within 60 s: " + pool.stats());
            }
            // What was interrupted last is proven quiet before it is back.
            for (int n = 0; n < 12_000 && pool.stats().getLeased() > 0; n++) TimeUnit.MILLISECONDS.sleep(5);
            System.out.println(pool.stats());
            return Verdict.of(tally, auditor, LIMIT, afterRestart.get(), pool.stats().getLeased());
        } finally {
            threads.shutdownNow();
        }
    }

    private static BlockingSqlPool openPool(Server server) {
        return BlockingJdbc.open(
                NAME,
                JdbcDialect.POSTGRESQL,
                Resolvers.fixedResolver(new Backend("bank", "127.0.0.1", server.getPort())),
                backend -> DriverManager.getConnection(server.url(NAME)),
                new PoolPolicyBuilder().spares(2).maxSlots(LIMIT)
                        .backoff(new BackoffPolicyBuilder().max(Duration.ofMillis(200)).build()).build(),
                new StoragePolicyBuilder().acquireTimeout(Duration.ofSeconds(10)).resolveTimeout(Duration.ofSeconds(10))
                        .cancelGrace(Duration.ofSeconds(30)).build(),
                new JdbcPolicyBuilder().linger(Duration.ofSeconds(1)).build());
    }

    /** One transfer after the other, every third of them interrupted at some moment. */
    private void shop(BlockingSqlPool pool, ExecutorService threads, Random random) {
        while (open.get()) {
            int source = account(random);
            int target = account(random);
            int amount = 1 + random.nextInt(200);
            Future<?> transfer = threads.submit(() -> transfer(pool, source, target, amount));
            try {
                if (random.nextInt(3) == 0) {
                    TimeUnit.MILLISECONDS.sleep(random.nextInt(30));
                    transfer.cancel(true);
                } else {
                    transfer.get();
                }
            } catch (InterruptedException e) {
                return;
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
    }

    private void transfer(BlockingSqlPool pool, int source, int target, int amount) {
        UUID id = UUID.randomUUID();
        try {
            boolean enough = pool.txn(SERIALIZABLE, txn -> {
                long balance = txn.one("select balance from account where id = ?", source).getLong(0);
                if (balance < amount) return false;
                txn.exec("update account set balance = balance - ? where id = ?", amount, source);
                txn.exec("update account set balance = balance + ? where id = ?", amount, target);
                txn.exec("insert into book values (?, ?, ?, ?)", id, source, target, amount);
                return true;
            });
            tally.tell(id, enough ? Told.COMMITTED : Told.TOO_POOR);
            if (restarted) afterRestart.incrementAndGet();
        } catch (StorageException.Interrupted e) {
            tally.tell(id, Told.CANCELLED);
        } catch (StorageException e) {
            // Interrupted between two runs, it ends with the failure of the last one.
            if (Thread.currentThread().isInterrupted()) tally.tell(id, Told.CANCELLED);
            else tally.failed(id, e);
        }
    }

    private static int account(Random random) {
        return 1 + random.nextInt(Bank.ACCOUNTS);
    }
}

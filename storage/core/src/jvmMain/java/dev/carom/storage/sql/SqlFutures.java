package dev.carom.storage.sql;

import dev.carom.storage.OpOptions;
import dev.carom.storage.internal.FlowPublisher;
import dev.carom.storage.internal.JavaFutures;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow.Publisher;
import org.jspecify.annotations.Nullable;

/**
 * {@link SqlOps} by {@link CompletableFuture}, of a pool, a connection or a transaction. Nothing blocks. Cancelling a
 * returned future stops the statement on the server.
 *
 * @see dev.carom.storage.StorageFutures for connections and transactions
 */
public final class SqlFutures {
    private final SqlOps ops;

    private SqlFutures(SqlOps ops) {
        this.ops = ops;
    }

    /** Another view of {@code ops}. */
    public static SqlFutures of(SqlOps ops) {
        return new SqlFutures(ops);
    }

    /** The operations behind this view. */
    public SqlOps sqlOps() {
        return ops;
    }

    /** Runs a statement. */
    public CompletableFuture<SqlResult> exec(Sql sql) {
        return JavaFutures.startFuture(late -> {}, k -> ops.exec(sql, k));
    }

    /** The first row, or null; the rest is dropped. */
    public CompletableFuture<@Nullable Row> queryRow(Sql sql) {
        return JavaFutures.<@Nullable Row>startFuture(late -> {}, k -> ops.queryRow(sql, k));
    }

    /** Opens a result. Whoever takes it out of the future closes it. */
    public CompletableFuture<BlockingRows> query(Sql sql) {
        Sql unowned = sql.with(sql.getOptions().unowned());
        return JavaFutures.<Rows>startFuture(late -> JavaFutures.startWaiting(late::close), k -> ops.query(unowned, k))
                .thenApply(BlockingRows::new);
    }

    /** All rows. They must fit into memory. */
    public CompletableFuture<List<Row>> list(Sql sql) {
        return JavaFutures.startFuture(late -> {}, k -> SqlOpsKt.list(ops, sql, k));
    }

    /** The only row. */
    public CompletableFuture<Row> one(Sql sql) {
        return JavaFutures.startFuture(late -> {}, k -> SqlOpsKt.one(ops, sql, k));
    }

    /** Runs one statement for each list of parameters; the counts, in order. */
    public CompletableFuture<List<Long>> execBatch(
            String text, List<? extends List<? extends @Nullable Object>> batch, OpOptions options) {
        return JavaFutures.startFuture(late -> {}, k -> ops.execBatch(text, batch, options, k));
    }

    /** The rows of a query, at the subscriber's pace; see {@link BlockingSqlOps#stream(Sql)}. */
    public Publisher<Row> stream(Sql sql) {
        return new FlowPublisher<>(ops.stream(sql));
    }
}

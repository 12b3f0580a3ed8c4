package dev.carom.storage.sql;

import dev.carom.storage.OpOptions;
import dev.carom.storage.StorageException;
import dev.carom.storage.internal.FlowPublisher;
import dev.carom.storage.internal.JavaCalls;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Flow.Publisher;
import org.jspecify.annotations.Nullable;

/** {@link SqlOps} for threads that block: the same on a pool, on a connection and in a transaction. */
public interface BlockingSqlOps {
    /** The operations behind this view. */
    SqlOps sqlOps();

    /**
     * Runs a statement; returns when the server has told how many rows it affected.
     *
     * @throws StorageException if it failed; the subclass says why
     */
    default SqlResult exec(Sql sql) {
        return JavaCalls.call("sql", k -> sqlOps().exec(sql, k));
    }

    /** {@link #exec(Sql)} with a value for each {@code ?}. */
    default SqlResult exec(String text, @Nullable Object... params) {
        return exec(Sql.Companion.of(text, Arrays.asList(params)));
    }

    /** The first row, or null; the rest is dropped. */
    default @Nullable Row queryRow(Sql sql) {
        return JavaCalls.<@Nullable Row>call("sql", k -> sqlOps().queryRow(sql, k));
    }

    /** {@link #queryRow(Sql)} with a value for each {@code ?}. */
    default @Nullable Row queryRow(String text, @Nullable Object... params) {
        return queryRow(Sql.Companion.of(text, Arrays.asList(params)));
    }

    /** Opens a result; whoever calls closes it, best by try-with-resources. */
    default BlockingRows query(Sql sql) {
        Sql unowned = sql.with(sql.getOptions().unowned());
        return new BlockingRows(JavaCalls.<Rows>take(
                "sql", (late, k) -> late.close(k), k -> sqlOps().query(unowned, k)));
    }

    /** {@link #query(Sql)} with a value for each {@code ?}. */
    default BlockingRows query(String text, @Nullable Object... params) {
        return query(Sql.Companion.of(text, Arrays.asList(params)));
    }

    /** All rows. They must fit into memory: {@link OpOptions#getMaxRows} bounds them. */
    default List<Row> list(Sql sql) {
        return JavaCalls.call("sql", k -> SqlOpsKt.list(sqlOps(), sql, k));
    }

    /** {@link #list(Sql)} with a value for each {@code ?}. */
    default List<Row> list(String text, @Nullable Object... params) {
        return list(Sql.Companion.of(text, Arrays.asList(params)));
    }

    /**
     * The only row.
     *
     * @throws StorageException.BadRow if there is none, or another one
     */
    default Row one(Sql sql) {
        return JavaCalls.call("sql", k -> SqlOpsKt.one(sqlOps(), sql, k));
    }

    /** {@link #one(Sql)} with a value for each {@code ?}. */
    default Row one(String text, @Nullable Object... params) {
        return one(Sql.Companion.of(text, Arrays.asList(params)));
    }

    /** Runs one statement for each list of parameters; the counts, in order. */
    default List<Long> execBatch(
            String text, List<? extends List<? extends @Nullable Object>> batch, OpOptions options) {
        return JavaCalls.call("sql", k -> sqlOps().execBatch(text, batch, options, k));
    }

    /**
     * The rows of a query, at the subscriber's pace. Each subscription is a query of its own, begun with the first
     * request; cancelling it stops the query. Signals come on a shared thread: they must not block.
     */
    default Publisher<Row> stream(Sql sql) {
        return new FlowPublisher<>(sqlOps().stream(sql));
    }

    /** {@link #stream(Sql)} with a value for each {@code ?}. */
    default Publisher<Row> stream(String text, @Nullable Object... params) {
        return stream(Sql.Companion.of(text, Arrays.asList(params)));
    }
}

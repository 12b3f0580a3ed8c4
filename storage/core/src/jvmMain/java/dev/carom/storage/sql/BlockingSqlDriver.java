package dev.carom.storage.sql;

import dev.carom.storage.BlockingStorageDriver;
import dev.carom.storage.OpOptions;
import dev.carom.storage.StorageKind;
import dev.carom.storage.internal.BlockingSqlAdapter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a relational adapter written in Java adds to a {@link BlockingStorageDriver}, whose rules for threads hold here too.
 * Each call is one conversation with the server; between two calls of a cursor nothing runs.
 *
 * @param <S> the session
 */
public interface BlockingSqlDriver<S> extends BlockingStorageDriver<S> {
    @Override
    default StorageKind kind() {
        return StorageKind.Companion.getRELATIONAL();
    }

    /**
     * Runs a statement that is not read from.
     *
     * @throws Exception if it failed; {@link #classify} says what that means
     */
    SqlResult exec(S session, Sql sql) throws Exception;

    /**
     * One statement with several rows of parameters. Default: one after another.
     *
     * @return the rows affected by each
     * @throws Exception if one failed
     */
    default List<Long> execBatch(S session, String text, List<List<@Nullable Object>> batch, OpOptions options) throws Exception {
        List<Long> affected = new ArrayList<>(batch.size());
        for (List<@Nullable Object> params : batch) {
            affected.add(exec(session, Sql.Companion.of(text, params).with(options)).getRowsAffected());
        }
        return affected;
    }

    /**
     * Starts a query. The cursor is used on the same session only, and closed before anything else runs there.
     *
     * @throws Exception if it failed
     */
    BlockingSqlCursor open(S session, Sql sql) throws Exception;

    /** This driver for a {@link BlockingSqlPool} or a Kotlin {@code openSql}. */
    default SqlDriver<S> toSqlDriver() {
        return new BlockingSqlAdapter<>(this);
    }
}

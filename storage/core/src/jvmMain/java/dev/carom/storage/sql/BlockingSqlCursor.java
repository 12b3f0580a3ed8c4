package dev.carom.storage.sql;

import dev.carom.storage.internal.BlockingPushedCursor;
import java.util.List;

/** {@link SqlCursor} for adapters that block: one call at a time. */
public interface BlockingSqlCursor {
    /** The columns, also of an empty result. Must not wait. */
    Columns columns();

    /**
     * The next rows, at most {@code max}; fewer than that, or none, at the end only.
     *
     * @throws Exception if there will be no more
     */
    List<Row> fetch(int max) throws Exception;

    /**
     * Frees what the result holds. What runs for it has ended or been cancelled before.
     *
     * @throws Exception if the session is not to be used any more
     */
    void close() throws Exception;

    /**
     * The rows that a platform pushes. Waits until their columns are known.
     *
     * @throws RuntimeException what the platform said before that, if it failed
     */
    static BlockingSqlCursor of(PushedRows rows) {
        return BlockingPushedCursor.of(rows);
    }
}

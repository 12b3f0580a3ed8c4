package dev.carom.storage.sql;

import dev.carom.storage.StorageException;
import dev.carom.storage.internal.JavaCalls;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** {@link Rows} for threads that block. One reader at a time; {@link #close} from anywhere. */
public final class BlockingRows implements AutoCloseable, Iterable<Row> {
    private final Rows rows;

    BlockingRows(Rows rows) {
        this.rows = rows;
    }

    /** The columns, also of an empty result. */
    public Columns columns() {
        return rows.getColumns();
    }

    /**
     * The current row: immutable, it stays as it is.
     *
     * @throws IllegalStateException before the first {@link #next} and after the last row
     */
    public Row row() {
        return rows.getRow();
    }

    /** Whether it is closed, by {@link #close}, by its end, or by the end of what it belongs to. */
    public boolean isClosed() {
        return rows.isClosed();
    }

    /**
     * Goes to the next row; false after the last one, and once closed. The last call closes.
     *
     * @throws StorageException.ConcurrentNext while another call has not returned
     * @throws StorageException.Interrupted if the thread was interrupted; the rows are closed then
     */
    public boolean next() {
        return JavaCalls.<Boolean>call("rows", rows::next);
    }

    /** Drops what is left and lets the session go; also when the thread is interrupted. */
    @Override
    public void close() {
        JavaCalls.uninterrupted("rows", rows::close);
    }

    /** What is left, once. */
    @Override
    public Iterator<Row> iterator() {
        return new Iterator<>() {
            private boolean asked;
            private boolean there;

            @Override
            public boolean hasNext() {
                if (!asked) {
                    there = BlockingRows.this.next();
                    asked = true;
                }
                return there;
            }

            @Override
            public Row next() {
                if (!hasNext()) throw new NoSuchElementException("no more rows");
                asked = false;
                return row();
            }
        };
    }

    /** What is left, once; closing the stream closes the rows. */
    public Stream<Row> stream() {
        int traits = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator(), traits), false)
                .onClose(this::close);
    }

    @Override
    public String toString() {
        return rows.toString();
    }
}

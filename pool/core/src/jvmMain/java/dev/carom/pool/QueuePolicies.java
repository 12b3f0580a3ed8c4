package dev.carom.pool;

import dev.carom.pool.internal.JavaPolicies;
import java.time.Duration;

/** What may happen to a claim for which no connection is free, for Java. */
public final class QueuePolicies {
    private QueuePolicies() {}

    /** It waits its turn: {@link QueuePolicy.Fifo}. */
    public static QueuePolicy fifo() {
        return QueuePolicy.Fifo.INSTANCE;
    }

    /** It is refused as soon as only somebody else's release could serve it: {@link QueuePolicy.FailFast}. */
    public static QueuePolicy failFast() {
        return QueuePolicy.FailFast.INSTANCE;
    }

    /**
     * It waits its turn, but while the queue stays slow, claims are refused: {@link QueuePolicy.ControlledDelay}.
     *
     * @param target the wait to keep to; at least 1 ms
     * @param interval how long a burst may last; at least {@code target}
     * @throws IllegalArgumentException if a value is out of bounds
     */
    public static QueuePolicy controlledDelay(Duration target, Duration interval) {
        return JavaPolicies.controlledDelay(target, interval);
    }
}

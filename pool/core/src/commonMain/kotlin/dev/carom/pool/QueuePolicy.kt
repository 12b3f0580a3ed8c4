package dev.carom.pool

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What happens to a claim for which no connection is free. */
public sealed interface QueuePolicy {
    /** It waits its turn, for up to [PoolPolicy.claimTimeout]. */
    public data object Fifo : QueuePolicy

    /**
     * It is refused as soon as it is clear that waiting would take somebody else's release: every connection is on loan
     * and no other may be opened, or all backends are down. It still waits for a connection that is being opened,
     * checked or cleaned, and for the resolver's first answer.
     */
    public data object FailFast : QueuePolicy

    /**
     * It waits its turn, but while the queue stays slow, claims are refused so that those served need not wait long:
     * CoDel (RFC 8289). A refused claim ends in [PoolException.Shed].
     *
     * In plain words: waits of less than [target] are nobody's business. When waits have been above [target] for an
     * [interval], some claims are refused, more and more often, until waits are below it again. No claim waits longer
     * than ten times [target], or, when the queue has not been empty for an [interval], twice.
     *
     * @property target the wait to keep to. At least 1 ms.
     * @property interval how long a burst may last; about the longest time callers hold connections. At least [target].
     */
    public class ControlledDelay(
        public val target: Duration = 50.milliseconds,
        public val interval: Duration = 100.milliseconds,
    ) : QueuePolicy {
        init {
            bounded("queue.target", target)
            bounded("queue.interval", interval, target)
        }

        override fun toString(): String = "ControlledDelay(target=$target, interval=$interval)"
    }
}

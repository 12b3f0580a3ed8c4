package dev.carom.gossip;

import dev.carom.gossip.internal.BlockingAdapters;
import java.time.Duration;
import java.util.List;

/**
 * Says whom to knock at, by a call that may block and is made again and again.
 *
 * <p>Runs on a virtual thread from JDK 24 on, else on a thread of {@code Dispatchers.IO}; one call at a time for each
 * member that follows it. When the member closes, the thread is interrupted, and nobody waits for it.
 */
@FunctionalInterface
public interface BlockingSeeds<I> {
    /**
     * The seeds, now: the whole set; only their addresses must be right. An empty one is an answer like any other, and
     * is believed.
     *
     * @throws Exception if there is no answer: the last set stays in force, {@link GossipNotice.SeedsFailed} is told, and
     *     it is asked again after the policy's {@code seedInterval}, at most a minute, instead of after the interval
     */
    List<? extends I> resolve() throws Exception;

    /**
     * A source that asks at once, and again {@code interval} after each answer.
     *
     * @param interval positive; {@link SwimPolicyBuilder#INFINITE} asks once only
     */
    default SeedSource<I> every(Duration interval) {
        return BlockingAdapters.seeds(this, interval);
    }
}

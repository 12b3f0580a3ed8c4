package dev.carom.pool;

import dev.carom.pool.internal.BlockingAdapters;
import java.time.Duration;
import java.util.Set;

/**
 * Says which backends a service has, by a call that may block and is made again and again.
 *
 * <p>Runs on a virtual thread from JDK 24 on, else on a thread of {@code Dispatchers.IO}; one call at a time for each
 * pool that uses it. When the pool closes, the thread is interrupted.
 */
@FunctionalInterface
public interface BlockingResolver {
    /**
     * The backends, now: the whole set. An empty set is an answer like any other, and is believed.
     *
     * @throws Exception if there is no answer: the last set stays in force, the pool tells
     *     {@link PoolNotice.ResolverFailed} and asks again after 1 s, doubling up to 30 s, instead of after the
     *     interval
     */
    Set<Backend> resolve() throws Exception;

    /**
     * A resolver that asks at once, and again {@code interval} after each answer. An answer equal to the last is not
     * told.
     *
     * @param interval positive; {@link PoolPolicyBuilder#INFINITE} asks once only
     */
    default Resolver every(Duration interval) {
        return BlockingAdapters.resolver(this, interval);
    }
}

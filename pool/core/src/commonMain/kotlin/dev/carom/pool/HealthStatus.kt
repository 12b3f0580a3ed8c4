package dev.carom.pool

/**
 * What a process may say of itself because of one pool, for the probes of an orchestrator. Asking costs no connection, no
 * I/O and no wait.
 *
 * @property live whether the pool does its work: it is open and its coroutines run. Says nothing about backends: a process
 *   whose database is down is not helped by a restart.
 * @property ready whether a claim may succeed: at least one backend in use is online, and the pool is not paused.
 * @property reason why not ready, or not live; else a summary.
 */
public class HealthStatus internal constructor(
    public val live: Boolean,
    public val ready: Boolean,
    public val reason: String,
) {
    override fun toString(): String = "${if (live) "live" else "dead"}, ${if (ready) "ready" else "not ready"}: $reason"
}

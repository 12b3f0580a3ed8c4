package dev.carom.pool

/**
 * Where a pool writes down all that it decides by, so that [replayPool] can go through the same decisions again: the
 * black box to look into after an incident, and a test of whether another version decides likewise.
 *
 * The first line says what the pool is: its name, its [PoolPolicy], which hooks its connector has, the seed of its
 * dice. Each further line is one event, with its time since the opening in nanoseconds, what the pool was told while it
 * decided (whether a connection was free, how many waited, how many failures callers had reported), and what it
 * decided. Lines are printable ASCII without line breaks, tab-separated; they are the longer the more slots and backends
 * there are.
 *
 * A line has backends as the resolver listed them, with their metadata, and failures by class name and message, as
 * [PoolNotice] shows them: what must not be in a log must not be in these. It has no connection, no credentials, and
 * nothing of who claims.
 *
 * Claims served from free connections are no events: they cost no more with a recording than without.
 */
public fun interface PoolRecording {
    /**
     * Takes one line, without a line break at its end. Called in order and never twice at once: the first time by who
     * opens the pool, then by the pool's own coroutine, which waits for it: it should hand the line on and not block.
     *
     * If it throws, the recording ends there and the pool goes on.
     */
    public fun line(line: String)
}

/**
 * A recording cannot be replayed because it is not what a pool has written.
 *
 * @property line number of the damaged line, from 1.
 */
public class PoolRecordingException internal constructor(public val line: Int, why: String) :
    RuntimeException("line $line of the recording is damaged: $why")

@file:JvmName("PoolReplays")

package dev.carom.pool

import dev.carom.pool.internal.record.Replayer
import kotlin.jvm.JvmName
import kotlin.time.Duration.Companion.nanoseconds

/**
 * What came of replaying a [PoolRecording].
 *
 * @property name the pool's name.
 * @property steps events replayed, the diverging one included.
 * @property notices what the pool told of its decisions, in order. Notices that are no decisions about connections
 *   (refused, stalled and nested claims, the resolver's failures) are not among them.
 * @property divergence the first decision that was not the recorded one, where the replay ended. Null: all were.
 */
public class PoolReplay internal constructor(
    public val name: String,
    public val steps: Int,
    public val notices: List<ReplayedNotice>,
    public val divergence: ReplayDivergence?,
) {
    /** Whether every decision was the recorded one. */
    public val identical: Boolean get() = divergence == null

    override fun toString(): String {
        val end = divergence?.let { "the last diverged: $it" } ?: "all as recorded"
        return "replay of pool $name: $steps events, ${notices.size} notices, $end"
    }
}

/**
 * A notice told again.
 *
 * @property line number of the event's line in the recording, from 1.
 * @property atNanos when, in nanoseconds since the pool was opened.
 * @property text the notice's text.
 */
public class ReplayedNotice internal constructor(
    public val line: Int,
    public val atNanos: Long,
    public val text: String,
) {
    override fun toString(): String = "+${atNanos.nanoseconds} $text"
}

/**
 * A decision that was not the recorded one.
 *
 * @property line number of its line in the recording, from 1.
 * @property recorded what was recorded.
 * @property replayed what came instead.
 */
public class ReplayDivergence internal constructor(
    public val line: Int,
    public val recorded: String,
    public val replayed: String,
) {
    override fun toString(): String = "line $line: recorded was \"$recorded\", replayed is \"$replayed\""
}

/**
 * Takes a fresh pool's decisions through the recorded events, at once: it opens nothing and waits for nothing. Ends at
 * the first decision that is not the recorded one, or at the end of [lines]; a recording that breaks off between two
 * lines is whole as far as it goes. Empty lines do not count.
 *
 * The version of Carom, and of Kotlin's seeded dice, should be the one that recorded; another may diverge, which is how
 * to find out where it decides otherwise. Holds the notices in memory, and one line at a time.
 *
 * @param lines what [PoolRecording.line] got, in order.
 * @throws PoolRecordingException if a line is not one that a pool has written, with its number.
 */
public fun replayPool(lines: Sequence<String>): PoolReplay = Replayer.replay(lines.iterator())

/** [replayPool] for what is a list, or comes from Java. */
public fun replayPool(lines: Iterable<String>): PoolReplay = Replayer.replay(lines.iterator())

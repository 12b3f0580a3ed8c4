package dev.carom.storage.split.internal

import dev.carom.storage.split.Consistency
import dev.carom.storage.split.WriteToken
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What a server said of itself. @property at when. */
internal class LagNote(val lag: Duration, val at: Duration)

/**
 * What is known of the replicas, so that they need not be asked about what they have said already. Immutable.
 *
 * What a replica has reached it has for good. How far it is behind is true for a while: a lag grows by no more than a second
 * in a second, so a note of age *a* that says *l* proves no more than *l + a*.
 */
internal data class LagBoard(
    private val memory: Duration,
    private val reached: Map<String, WriteToken> = emptyMap(),
    private val lags: Map<String, LagNote> = emptyMap(),
) {
    /** Whether [server] serves a read as [wanted] asks: null if it must be asked. */
    fun serves(
        server: String,
        wanted: Consistency,
        now: Duration,
        covers: (WriteToken, WriteToken) -> Boolean,
    ): Boolean? = when (wanted) {
        is Consistency.Eventual -> true

        is Consistency.Latest -> false

        is Consistency.MaxLag -> lags[server]?.takeIf { now - it.at <= memory }
            ?.let { it.lag + (now - it.at) <= wanted.millis.milliseconds }
            ?.takeIf { it }

        is Consistency.ReadYourWrites -> when {
            wanted.token == WriteToken.UNKNOWN -> false
            reached[server]?.let { covers(it, wanted.token) } == true -> true
            else -> null
        }
    }

    fun reached(server: String, token: WriteToken, covers: (WriteToken, WriteToken) -> Boolean): LagBoard {
        val known = reached[server]
        return if (known != null && covers(known, token)) this else copy(reached = reached + (server to token))
    }

    fun lags(server: String, note: LagNote): LagBoard = copy(lags = lags + (server to note))

    /** Another server may have its name one day, with less in it. */
    fun forget(server: String): LagBoard = copy(reached = reached - server, lags = lags - server)
}

package dev.carom.pool

/**
 * Why a claim would be served, or not, at one moment: what the pool sees of each backend, who holds connections and who
 * waits. `toString` is a report of several lines.
 *
 * @property pool the pool's name.
 * @property summary the whole in one line.
 * @property backends each listed backend, the better tiers first, with the reason why it can or cannot serve.
 * @property holders who has connections, longest first.
 * @property waiters who waits, in the order in which they will be served.
 */
public class Explanation internal constructor(
    public val pool: String,
    public val summary: String,
    public val backends: List<BackendVerdict>,
    public val holders: List<Holder>,
    public val waiters: List<WaitingClaim>,
) {
    override fun toString(): String = buildString {
        append(pool).append(": ").append(summary)
        for (backend in backends) append("\n  backend ").append(backend)
        for (holder in holders) append("\n  held by ").append(holder)
        for (waiter in waiters) append("\n  waits: ").append(waiter)
    }
}

/**
 * What a claim may expect of one backend.
 *
 * @property backend which.
 * @property usable whether a claim that comes now gets a connection of it at once.
 * @property reason why, or why not, in words.
 * @property lastError its latest failure.
 */
public class BackendVerdict internal constructor(
    public val backend: Backend,
    public val usable: Boolean,
    public val reason: String,
    public val lastError: Throwable?,
) {
    override fun toString(): String = "$backend: $reason"
}

/**
 * A claim in the queue.
 *
 * @property name who.
 * @property waitedMillis for how long, in milliseconds.
 * @property leftMillis until it is refused, in milliseconds; [Long.MAX_VALUE] never.
 * @property reserved whether it is in the reserved lane.
 * @property picky whether it asked for a role or for certain backends only.
 * @property tags as [ClaimOptions.tags] gave them.
 */
public class WaitingClaim internal constructor(
    public val name: String,
    public val waitedMillis: Long,
    public val leftMillis: Long,
    public val reserved: Boolean,
    public val picky: Boolean,
    public val tags: Map<String, String>,
) {
    override fun toString(): String {
        val more = listOfNotNull(
            "reserved lane".takeIf { reserved },
            "certain backends only".takeIf { picky },
            tags.takeIf { it.isNotEmpty() }?.toString(),
        )
        return "\"$name\" for $waitedMillis ms" + more.joinToString("") { ", $it" }
    }
}

@file:JvmName("Resolvers")

package dev.carom.pool

import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onStart
import kotlinx.coroutines.flow.retryWhen
import kotlin.jvm.JvmName
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** A resolver that lists [backends] and never changes. */
public fun fixedResolver(vararg backends: Backend): Resolver {
    val set = backends.toSet()
    return Resolver { flowOf(set) }
}

/** A resolver that lists whatever this flow last emitted. The flow is collected once by each user. */
public fun Flow<Set<Backend>>.asResolver(): Resolver = Resolver { this }

/**
 * The union of what all [resolvers] list, as soon as one of them has answered. One that fails keeps its last set and is
 * collected again after 1 s, doubling up to 30 s; one that completes keeps its last set for good.
 */
public fun merge(vararg resolvers: Resolver): Resolver = Resolver {
    val answers = resolvers.map { it.answers() }
    combine(answers) { sets -> if (sets.all { it == null }) null else sets.flatMapTo(mutableSetOf()) { it.orEmpty() } }
        .known()
}

/**
 * What this resolver lists; while it has not answered, has failed before its first answer, or lists nothing, what [other]
 * lists. A failure after an answer keeps that answer.
 */
public fun Resolver.fallback(other: Resolver): Resolver = Resolver {
    combine(answers(), other.answers()) { first, second -> first?.takeIf { it.isNotEmpty() } ?: second ?: first }
        .known()
}

/** The backends of this resolver that [predicate] accepts: one zone, one role, one version. */
public fun Resolver.filter(predicate: (Backend) -> Boolean): Resolver = Resolver {
    backends().map { set -> set.filterTo(mutableSetOf(), predicate) }
}

/** Null until the first answer; never fails, for the sake of the other flows it is combined with. */
private fun Resolver.answers(): Flow<Set<Backend>?> {
    val answers: Flow<Set<Backend>?> = backends()
    return answers
        .retryWhen { _, attempt ->
            delay(resolverPause(attempt))
            true
        }.onStart { emit(null) }
}

private fun Flow<Set<Backend>?>.known(): Flow<Set<Backend>> = filterNotNull().distinctUntilChanged()

/** 1 s, doubling up to 30 s. */
internal fun resolverPause(attempt: Long): Duration {
    val doubled = 1.seconds * (1 shl attempt.coerceIn(0, 5).toInt())
    return doubled.coerceAtMost(30.seconds)
}

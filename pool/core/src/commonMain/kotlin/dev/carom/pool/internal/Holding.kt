package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.Holder
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlin.coroutines.CoroutineContext

/** Who claims, when a context or a label alone does not say it all. */
internal class Holding(
    val name: String?,
    val context: CoroutineContext?,
    val tags: Map<String, String> = emptyMap(),
    /** Where the claim was made. */
    val site: Throwable? = null,
)

/** Who calls when that is not a coroutine: a thread. */
internal abstract class Caller : CoroutineContext.Element {
    abstract val identity: Any
    abstract val name: String

    override val key: CoroutineContext.Key<*> get() = Caller

    companion object : CoroutineContext.Key<Caller>
}

internal fun contextOf(who: Any?): CoroutineContext? = when (who) {
    is CoroutineContext -> who
    is Holding -> who.context
    else -> null
}

internal fun nameOf(who: Any?): String {
    val given = who as? String ?: (who as? Holding)?.name
    val context = contextOf(who)
    return given
        ?: context?.get(CoroutineName)?.name
        ?: context?.get(Caller)?.name
        ?: context?.get(Job)?.toString()
        ?: "unnamed"
}

internal fun holderOf(who: Any?, backend: Backend, claim: Long, ageMillis: Long): Holder = Holder(
    name = nameOf(who),
    backend = backend,
    claim = claim,
    ageMillis = ageMillis,
    job = contextOf(who)?.get(Job)?.toString(),
    tags = (who as? Holding)?.tags.orEmpty(),
    site = (who as? Holding)?.site?.let(::siteOf),
)

/** The first line of the stack that is not the pool's or the language's: `com.shop.Checkout.pay(Checkout.kt:41)`. */
internal fun siteOf(stack: Throwable): String? = stack.stackTraceToString().lineSequence()
    .drop(1)
    .map { it.trim().removePrefix("at ") }
    .firstOrNull { line -> OWN.none { line.substringAfterLast('/').startsWith(it) } && line.isNotEmpty() }

/** Whether somebody with [inner] as context works for whoever has [outer]: is the same coroutine, a child of it, or the same thread. */
@OptIn(ExperimentalCoroutinesApi::class)
internal fun isWithin(inner: CoroutineContext, outer: CoroutineContext): Boolean {
    val caller = outer[Caller]?.identity
    if (caller != null && caller == inner[Caller]?.identity) return true
    val holder = outer[Job] ?: return false
    return generateSequence(inner[Job]) { it.parent }.any { it === holder }
}

private val OWN = listOf(
    "dev.carom.pool.internal.",
    "dev.carom.pool.Pool.",
    "dev.carom.pool.Pool$",
    "dev.carom.pool.PoolKt.",
    "dev.carom.pool.BlockingPool.",
    "dev.carom.pool.PoolFutures.",
    "kotlin.",
    "kotlinx.",
    "java.",
    "jdk.",
)

package dev.carom.pool.internal

import dev.carom.pool.LeasePolicy
import dev.carom.pool.NestedClaims
import dev.carom.pool.PoolNotice
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.coroutines.CoroutineContext

/** Looks at claims more closely, as far as the policy wants it: where they are made, and inside what. */
@OptIn(ExperimentalAtomicApi::class)
internal class Loupe(
    private val policy: LeasePolicy,
    private val pool: String,
    private val desk: ClaimDesk<*>,
    private val tell: (PoolNotice) -> Unit,
) {
    private val claims = AtomicInt(0)

    /** Whether every claim is looked at. */
    val examines: Boolean = policy.sites > 0 || policy.nested == NestedClaims.Error

    /** @throws dev.carom.pool.PoolException.NestedClaim if that is what it is. */
    fun examine(
        holder: String?,
        context: CoroutineContext,
        tags: Map<String, String> = emptyMap(),
        allowNested: Boolean = false,
    ): Holding {
        val strict = policy.nested == NestedClaims.Error
        val sampled = policy.sites > 0 && claims.incrementAndFetch() % policy.sites == 0
        val who = Holding(holder, context, tags, if (strict || sampled) Site() else null)
        if (strict && !allowNested) {
            outer(context)?.let { throw nestedException(pool, it.holder, who.site?.let(::siteOf)) }
        }
        return who
    }

    /** Before it waits. */
    fun warn(who: Any?) {
        if (policy.nested != NestedClaims.Warn) return
        val outer = outer(contextOf(who) ?: return) ?: return
        tell(PoolNotice.ClaimNested(outer.holder, siteOf((who as? Holding)?.site ?: Site())))
    }

    private fun outer(inner: CoroutineContext): Lease<*>? =
        desk.leaseOut { lease -> contextOf(lease.who)?.let { isWithin(inner, it) } ?: false }
}

/** Not thrown: it only remembers where it was made. */
internal class Site : Throwable("claimed here")

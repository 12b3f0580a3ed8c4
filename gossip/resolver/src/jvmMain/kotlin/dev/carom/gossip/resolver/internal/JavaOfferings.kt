@file:JvmName("JavaOfferings")

package dev.carom.gossip.resolver.internal

import dev.carom.gossip.Gossip
import dev.carom.gossip.Identity
import dev.carom.gossip.resolver.DrainPolicy
import dev.carom.gossip.resolver.GossipResolver
import dev.carom.gossip.resolver.GossipResolverPolicy
import dev.carom.gossip.resolver.OfferReader
import dev.carom.gossip.resolver.Offering
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.runInterruptible
import java.time.Duration
import java.util.concurrent.Callable
import kotlin.time.toKotlinDuration

/** Blocks this thread until [block] returns. An interrupt cancels [block] and is thrown when [block] has ended. */
@Throws(InterruptedException::class)
internal fun <T> call(block: suspend () -> T): T = runBlocking { block() }

@Throws(InterruptedException::class)
internal fun leave(offering: Offering<*>, notice: Duration, grace: Duration, idle: Callable<*>): Boolean = runBlocking {
    offering.leave(DrainPolicy(notice.toKotlinDuration(), grace.toKotlinDuration())) {
        runInterruptible(Dispatchers.IO) { idle.call() }
    }
}

internal fun <I : Identity<I>> build(
    gossip: Gossip<I>,
    reader: OfferReader<I>,
    role: String?,
    zone: String?,
    suspectWeight: Int,
    keepWhenAlone: Duration,
): GossipResolver<I> {
    val policy = GossipResolverPolicy(role, zone, suspectWeight, keepWhenAlone.toKotlinDuration())
    return GossipResolver(gossip, reader, policy)
}

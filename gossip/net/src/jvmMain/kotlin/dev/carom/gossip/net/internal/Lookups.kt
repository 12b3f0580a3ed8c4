package dev.carom.gossip.net.internal

import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.gossip.net.SeedName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import java.net.InetAddress
import java.net.UnknownHostException

/** Turns names into addresses without blocking the caller. */
internal class Lookups(private val lookup: (String) -> List<InetAddress> = { InetAddress.getAllByName(it).toList() }) {
    // Without a parent on purpose: the system's resolver cannot be interrupted, so that a cancelled caller must be
    // able to leave a lookup behind. It ends when the system gives up, and holds only a thread of this view.
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.IO.limitedParallelism(MOST))
    private val known = HashMap<SeedName, List<NodeId>>()

    /** @throws UnknownHostException if there is none. */
    suspend fun of(host: String): List<InetAddress> {
        val answer = scope.async { lookup(host) }
        try {
            return answer.await()
        } finally {
            answer.cancel()
        }
    }

    /** All addresses of [names]; a name that is not found keeps those it had. For one coroutine. */
    suspend fun seeds(names: List<SeedName>): List<NodeId> {
        val found = coroutineScope {
            names.map { name ->
                async {
                    try {
                        name to of(name.host).map { NodeId(NodeAddress(it.address, name.port), 0) }
                    } catch (_: UnknownHostException) {
                        null
                    }
                }
            }.awaitAll()
        }
        found.filterNotNull().forEach { (name, ids) -> known[name] = ids }
        return names.flatMap { known[it].orEmpty() }.distinct().take(MOST_SEEDS)
    }

    private companion object {
        const val MOST = 4
        const val MOST_SEEDS = 1_024
    }
}

@file:JvmName("MemberProgram")

package dev.carom.samples.cluster

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.NodeId
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.openNetGossip
import dev.carom.gossip.resolver.Offer
import dev.carom.gossip.resolver.Offering
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/**
 * A member as a process of its own: gossips, serves, and says on its output what it sees. Arguments: its name, its port
 * (0: any), and the seeds. The first line of its input is the key; then come `add`, `use` and `remove` with a key,
 * `count`, and `leave`. It ends with its input, so that it does not outlive who started it.
 */
fun main(args: Array<String>): Unit = runBlocking(Dispatchers.Default) {
    val key = Cluster.key(readln())
    val security = Cluster.security(key)
    coroutineScope {
        // First of all: any port will do for the server, and it might be given this one.
        val gossip = openNetGossip(Cluster.net(args[1].toInt(), args.drop(2)), security, Cluster.policy)
        WhoServer(args[0]).use { server -> live(gossip, server, security) }
    }
}

private suspend fun live(gossip: Gossip<NodeId>, server: WhoServer, security: GossipSecurity): Unit = coroutineScope {
    val offering = Offering(gossip)
    offering.offer(listOf(Offer(Cluster.ROLE, server.port)))
    launch(start = CoroutineStart.UNDISPATCHED) {
        gossip.notices.collect {
            if (it is GossipNotice.MemberSuspected) println("suspected ${it.member}")
            if (it is GossipNotice.MemberDown) println("down ${it.member}")
        }
    }
    launch { gossip.members.collect { println("members ${Cluster.seen(it)}") } }
    println("ready ${gossip.identity} ${server.port}")
    while (gossip.isOpen) {
        val words = withContext(Dispatchers.IO) { readlnOrNull() }?.split(' ') ?: break
        when (words[0]) {
            "count" -> println("unopened ${gossip.counters().unopened}")
            "leave" -> println("left ${offering.leave { server.awaitIdle() }}")
            else -> Cluster.rotate(security, words[0], Cluster.key(words[1]))
        }
        println("done ${words[0]}")
    }
    gossip.close()
    coroutineContext.cancelChildren()
}

package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body

/** Subscriptions: a tree of bytes. A message matches if one of them is how it begins; the empty one matches all. */
internal class Topics {
    private class Node {
        var subscriptions = 0
        val next = HashMap<Byte, Node>(2)
    }

    private val root = Node()

    /** Counted: as many [remove]s undo it. */
    fun add(topic: Body) {
        var node = root
        for (i in 0 until topic.size) node = node.next.getOrPut(topic[i]) { Node() }
        node.subscriptions++
    }

    /** False if there is no such subscription. */
    fun remove(topic: Body): Boolean {
        val path = ArrayList<Node>(topic.size + 1)
        path += root
        for (i in 0 until topic.size) path += path.last().next[topic[i]] ?: return false
        if (path.last().subscriptions == 0) return false
        path.last().subscriptions--
        for (i in topic.size downTo 1) {
            if (path[i].subscriptions > 0 || path[i].next.isNotEmpty()) break
            path[i - 1].next.remove(topic[i - 1])
        }
        return true
    }

    fun matches(message: Body): Boolean {
        var node = root
        for (i in 0 until message.size) {
            if (node.subscriptions > 0) return true
            node = node.next[message[i]] ?: return false
        }
        return node.subscriptions > 0
    }
}

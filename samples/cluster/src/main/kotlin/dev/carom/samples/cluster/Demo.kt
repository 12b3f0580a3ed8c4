package dev.carom.samples.cluster

import dev.carom.gossip.Gossip
import dev.carom.gossip.NodeId
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.openNetGossip
import dev.carom.gossip.resolver.resolver
import dev.carom.pool.PoolPolicy
import dev.carom.pool.net.TcpConnector
import dev.carom.pool.openPool
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext
import java.security.SecureRandom
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Five processes that gossip with each other and with this one, whose pool follows them whatever happens. With a
 * [patience] of more than 1 they get so many times the time: for a machine that has other things to do.
 */
class Demo(private val say: (String) -> Unit, private val patience: Int = 1) {
    private val start = TimeSource.Monotonic.markNow()

    /** All steps once. */
    suspend fun run(): Verdict = coroutineScope {
        val old = hexKey()
        val security = Cluster.security(Cluster.key(old))
        val observer = openNetGossip(Cluster.net(0, emptyList()), security, Cluster.policy)
        val policy = PoolPolicy(spares = 5, maxSlots = 20)
        val pool = openPool("who", observer.resolver(Cluster.ROLE), TcpConnector(), policy)
        val load = Load(pool)
        val stage = Stage(observer, pool, load, old, patience, ::step)
        try {
            stage.open()
            load.start(this, USERS)
            stage.serve()
            stage.kill()
            stage.pause()
            stage.restart()
            rotate(stage, observer, security, old)
            stage.leave()
            load.stop()
            pool.close()
            stage.end()
            Verdict(stage.verdict() + time())
        } finally {
            withContext(NonCancellable) {
                stage.close()
                load.stop()
                pool.close()
                observer.close()
            }
        }
    }

    private suspend fun rotate(stage: Stage, observer: Gossip<NodeId>, security: GossipSecurity, old: String) {
        val new = hexKey()
        stage.rotate(new) { step, hex -> Cluster.rotate(security, step, Cluster.key(hex)) }
        stage.refuseOldKey { scope ->
            scope.openNetGossip(
                Cluster.net(0, listOf(observer.identity.at.toString())),
                Cluster.security(Cluster.key(old)),
                Cluster.policy,
            )
        }
    }

    private fun time(): Check {
        val elapsed = start.elapsedNow()
        val most = LONGEST * patience
        return Check("time", "${elapsed.inWholeSeconds} s", "$most", elapsed <= most)
    }

    private fun step(text: String) = say("%5.1f s  %s".format(start.elapsedNow().inWholeMilliseconds / 1_000.0, text))

    private fun hexKey(): String = ByteArray(KEY).also { SecureRandom().nextBytes(it) }
        .joinToString("") { "%02x".format(it) }

    private companion object {
        const val USERS = 8
        const val KEY = 32
        val LONGEST = 180.seconds
    }
}

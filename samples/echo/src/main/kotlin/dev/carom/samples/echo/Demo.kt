package dev.carom.samples.echo

import dev.carom.pool.Pool
import dev.carom.pool.dns.DnsAddresses
import dev.carom.pool.dns.DnsConfig
import dev.carom.pool.dns.DnsPolicy
import dev.carom.pool.dns.DnsResolver
import dev.carom.pool.dns.DnsjavaLookup
import dev.carom.pool.net.TcpConnection
import dev.carom.pool.net.TcpConnector
import dev.carom.pool.openPool
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * How long people get to look at each step, how long DNS fails, and how soon the pool must have followed: after one TTL and a
 * second; a test, which may share its machine with anything, gives it half a minute.
 */
enum class Pace(val look: Duration, val outage: Duration, val bound: Duration) {
    WATCHED(3.seconds, 4.seconds, EchoZone.TTL_SECONDS.seconds + 1.seconds),
    TEST(200.milliseconds, 1500.milliseconds, 30.seconds),
}

/**
 * The main job: many users of one pool while its backends come, move, die and go, and DNS has its moods. [bound] is how soon
 * the pool must have followed.
 */
class Demo(private val screen: Screen, private val pace: Pace, private val bound: Duration = pace.bound) {
    private val start = TimeSource.Monotonic.markNow()

    /** All steps once. */
    suspend fun run(): Verdict = withStage { stage ->
        stage.open()
        look()
        for (step in Step.entries) {
            stage.take(step)
            look()
        }
    }

    /** Takes the steps that are typed, until `quit`; if nothing can be typed, all of them again and again. */
    suspend fun last(commands: Sequence<String>): Verdict = withStage { stage ->
        stage.open()
        screen.say("type ${Step.entries.joinToString { it.name.lowercase() }} or quit")
        var quit = false
        withContext(Dispatchers.IO) { commands.iterator() }.let { lines ->
            while (!quit && withContext(Dispatchers.IO) { lines.hasNext() }) {
                val word = lines.next().trim()
                val step = Step.entries.firstOrNull { it.name.equals(word, ignoreCase = true) }
                quit = word == "quit"
                if (step != null) {
                    stage.take(step)
                } else if (!quit) {
                    screen.say("unknown: $word")
                }
            }
        }
        while (!quit) {
            for (step in Step.entries) {
                stage.take(step)
                look()
            }
        }
    }

    private suspend fun look() = delay(pace.look)

    private suspend fun withStage(play: suspend (Stage) -> Unit): Verdict = EchoZone().use { zone ->
        val watch = Watch(zone, screen)
        val resolver = resolver(zone, watch)
        coroutineScope {
            val pool = openPool("echo", resolver, TcpConnector())
            val load = Load(pool)
            val stage = Stage(pool, zone, load, watch, screen, pace, bound)
            try {
                launch { pool.notices.collect(watch::on) }
                val shown = screen.show(this, pool)
                load.start(this, USERS)
                play(stage)
                load.stop()
                shown.cancel()
                stage.close()
                Verdict(stage.verdict(start.elapsedNow()))
            } finally {
                withContext(NonCancellable) { stage.close() }
            }
        }
    }

    private fun resolver(zone: EchoZone, watch: Watch): DnsResolver {
        val policy = DnsPolicy(
            minInterval = 200.milliseconds,
            retryStart = 200.milliseconds,
            retryMax = 1.seconds,
            addresses = DnsAddresses.IPV4,
        )
        val lookup = DnsjavaLookup(DnsConfig(listOf(zone.address)), policy)
        return DnsResolver(lookup, EchoZone.NAME, EchoZone.SERVICE, policy = policy, listener = watch::onDns)
    }

    private companion object {
        const val USERS = 64
    }
}

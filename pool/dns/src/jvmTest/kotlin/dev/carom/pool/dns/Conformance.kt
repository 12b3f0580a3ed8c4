package dev.carom.pool.dns

import dev.carom.pool.Backend
import dev.carom.pool.testkit.DnsBehaviour
import dev.carom.pool.testkit.DnsTestServer
import dev.carom.pool.testkit.DnsZone
import io.kotest.assertions.withClue
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * One row of the conformance table: a zone, a `resolv.conf` and a `hosts` file; the questions that go over the wire,
 * in order; and what comes of them. The rows are in the text files of the resource directory `conformance`: a title
 * behind `#`, then lines of a keyword and its words. `KEYWORD@2` is about the second name server.
 *
 * | keyword | words |
 * |---|---|
 * | `resolv`, `hosts` | one line of that file; without `nameserver` there is one server |
 * | `zone` | one record that all servers know, as in a master file; `many` repeats one for 1 to N in place of `%` |
 * | `does`, `next`, `down`, `bare` | how all servers behave; how in turn; closed; without an additional section |
 * | `family`, `rounds` | A, AAAA or both are asked for: `IPV4` unless given; how many rounds there are: 1 |
 * | `find` | `SERVICE NAME [PORT]` or `NAME PORT` |
 * | `asks` | one question: `TYPE NAME`, over UDP, or over TCP with `tcp` behind it |
 * | `answer` | what one question of this type came to: `TYPE NODATA\|NXDOMAIN TTL` |
 * | `gives` | one backend: `NAME ADDRESS:PORT [priority P weight W]`; or `N backends`, `nothing`, `failure WORDS` |
 * | `ttl` | seconds, or `none` |
 */
internal class Fixture(val title: String, private val lines: List<Line>) {
    class Line(val keyword: String, val server: Int?, val words: String)

    private val asked = CopyOnWriteArrayList<String>()
    private val answers = CopyOnWriteArrayList<DnsNotice.Answered>()
    private val changes = CopyOnWriteArrayList<DnsNotice.Changed>()

    suspend fun run() {
        val config = DnsConfig.parse(all("resolv").joinToString("\n"), all("hosts").joinToString("\n"))
        val named = all("resolv").any { it.startsWith("nameserver") && !it.endsWith("not-an-address") }
        val hosts = if (named) config.servers.map { it.address.hostAddress } else listOf("")
        val servers = hosts.map { DnsTestServer(if (':' in it) "::1" else "127.0.0.1") }
        try {
            servers.forEachIndexed { index, server -> prepare(server, index + 1) }
            check(resolve(config.withServers(servers.map { it.address })))
        } finally {
            servers.forEach { it.close() }
        }
    }

    private fun prepare(server: DnsTestServer, number: Int) {
        fun mine(keyword: String) = lines.filter { it.keyword == keyword && (it.server ?: number) == number }
        val many = mine("many").flatMap { line ->
            val count = line.words.substringAfterLast(' ').toInt()
            (1..count).map { line.words.substringBeforeLast(' ').replace("%", "$it") }
        }
        server.zone = DnsZone.parse((mine("zone").map { it.words } + many).joinToString("\n"))
        mine("does").forEach { server.behaviour = DnsBehaviour.valueOf(it.words) }
        mine("next").forEach { server.next(*it.words.split(" ").map(DnsBehaviour::valueOf).toTypedArray()) }
        server.additional = mine("bare").isEmpty()
        server.onQuestion = { asked += "@$number ${it.type} ${it.name}${if (it.tcp) " tcp" else ""}" }
        if (mine("down").isNotEmpty()) server.close()
    }

    private suspend fun resolve(config: DnsConfig): DnsNotice.Settled {
        val rounds = all("rounds").firstOrNull()?.toInt() ?: 1
        // after the last round there is time to look before another one asks
        val pause = if (rounds == 1) 1.minutes else 10.milliseconds
        val policy = DnsPolicy(
            minInterval = pause,
            retryStart = pause,
            retryMax = 5.minutes,
            serverTimeout = 30.seconds,
            roundTimeout = 50.seconds,
            attempts = 1,
            negativesToBelieve = 1,
            parallelism = 1,
            addresses = DnsAddresses.valueOf(all("family").firstOrNull() ?: "IPV4"),
        )
        val settled = CompletableDeferred<DnsNotice.Settled>()
        val listener = DnsListener {
            if (it is DnsNotice.Answered) answers += it
            if (it is DnsNotice.Changed) changes += it
            if (it is DnsNotice.Settled && it.number == rounds) settled.complete(it)
        }
        val find = all("find").single().split(" ")
        val service = find.first().takeIf { it.startsWith("_") }
        val (name, port) = if (service != null) find[1] to find.getOrNull(2) else find[0] to find[1]
        val resolver =
            DnsResolver(DnsjavaLookup(config, policy), name, service, port?.toInt() ?: 0, policy, listener)
        return coroutineScope {
            val collecting = launch { resolver.backends().collect {} }
            withTimeout(1.minutes) { settled.await() }.also { collecting.cancel() }
        }
    }

    private fun check(settled: DnsNotice.Settled) {
        val expected = lines.filter { it.keyword == "asks" }.map { "@${it.server ?: 1} ${it.words}" }
        val seen = if (all("rounds").isEmpty()) asked.toList() else asked.take(expected.size)
        withClue({ "asks" }) { seen shouldContainExactly expected }
        val outcomes = answers.mapNotNull { describe(it) }
        all("answer").forEach { withClue({ "answer" }) { outcomes shouldContain it } }
        val gives = all("gives")
        withClue({ "gives, with trouble ${settled.trouble}" }) { checkGiven(gives, settled) }
        all("ttl").forEach { withClue({ "ttl" }) { "${settled.ttlSeconds ?: "none"}" shouldBe it } }
    }

    private fun checkGiven(gives: List<String>, settled: DnsNotice.Settled) {
        val only = gives.first()
        when {
            only == "nothing" -> (settled.backends to changes.size) shouldBe (emptySet<Backend>() to 1)

            only.startsWith("failure ") -> {
                changes.size shouldBe 0
                settled.trouble.shouldNotBeNull() shouldContain only.substringAfter(' ')
            }

            only.endsWith(" backends") -> settled.backends.size shouldBe only.substringBefore(' ').toInt()

            else -> {
                val numbers = gives.any { "weight" in it }
                settled.backends.map { describe(it, numbers) } shouldContainExactlyInAnyOrder gives
                changes.size shouldBe 1
            }
        }
    }

    private fun describe(backend: Backend, numbers: Boolean): String {
        val address = "${backend.name} ${backend.host}:${backend.port}"
        return if (numbers) "$address priority ${backend.priority} weight ${backend.weight}" else address
    }

    private fun describe(answered: DnsNotice.Answered): String? = when (val answer = answered.answer) {
        is DnsAnswer.NoData -> "${answered.question.type} NODATA ${answer.ttlSeconds}"
        is DnsAnswer.NoName -> "${answered.question.type} NXDOMAIN ${answer.ttlSeconds}"
        else -> null
    }

    private fun all(keyword: String) = lines.filter { it.keyword == keyword }.map { it.words }

    companion object {
        private val KEYWORDS =
            "resolv hosts zone many does next down bare family rounds find asks answer gives ttl".split(" ")

        /** The rows of one file. */
        fun read(text: String): List<Fixture> =
            text.split(Regex("(?m)^# ")).drop(1).map { block ->
                val rows = block.lines()
                Fixture(rows.first(), rows.drop(1).filter { it.isNotBlank() }.map(::line))
            }

        private fun line(text: String): Line {
            val head = text.substringBefore(' ')
            val keyword = head.substringBefore('@')
            require(keyword in KEYWORDS) { "no such keyword: $text" }
            val server = head.substringAfter('@', "").takeIf { it.isNotEmpty() }?.toInt()
            return Line(keyword, server, text.substringAfter(' ', "").trim())
        }
    }
}

package dev.carom.samples.messaging.demo

import dev.carom.samples.messaging.demo.ShopBackend.Companion.openShopBackend
import dev.carom.sockets.MessageSocket
import dev.carom.sockets.ReqSocket
import dev.carom.sockets.SocketPolicy
import dev.carom.sockets.SurveyorSocket
import dev.carom.sockets.openReqSocket
import dev.carom.sockets.openSurveyorSocket
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import java.io.PrintStream
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Runs the demo; fails if a promise was not kept. */
fun main() {
    val verdict = runBlocking(Dispatchers.Default) { Demo(System.out, look = 2.seconds).run() }
    println("\n$verdict")
    check(verdict.ok) { "not kept: ${verdict.missed.joinToString()}" }
}

/**
 * One socket asks and one surveys a service whose backends come, move, go and die. [look] is how long each state lasts, [bound]
 * how soon the sockets must have followed.
 */
class Demo(private val out: PrintStream, private val look: Duration, private val bound: Duration = 5.seconds) {
    suspend fun run(): Verdict = ShopZone().use { zone ->
        coroutineScope {
            val req = openReqSocket("asking")
            val surveyor = openSurveyorSocket("surveying", SocketPolicy(surveyDeadline = 10.seconds))
            val play = Play(this, zone, req, surveyor)
            req.connect(zone.ask)
            surveyor.connect(zone.survey)
            play.all()
        }
    }

    private inner class Play(
        private val scope: CoroutineScope,
        private val zone: ShopZone,
        private val req: ReqSocket,
        private val surveyor: SurveyorSocket,
    ) {
        private val log = AnswerLog()
        private val askers = Askers(req)
        private val listed = LinkedHashMap<String, ShopBackend>()
        private val checks = ArrayList<Check>()
        private var slowest = Duration.ZERO

        suspend fun all(): Verdict {
            change("two backends") { for (name in listOf("a", "b")) listed[name] = open(name) }
            askers.start(scope, ASKERS)
            change("two more") { for (name in listOf("c", "d")) listed[name] = open(name) }
            change("one moves") { leaving(listed.put("b", open("b"))) }
            change("one leaves") { leaving(listed.remove("a")) }
            val planned = log.repeated()
            change("one dies, and its place is taken") {
                listed.remove("c")?.kill()
                listed["e"] = open("e")
            }
            askers.stop()
            left.forEach { it.stop() }
            listed.values.forEach { it.stop() }
            val report = req.close()
            surveyor.close()
            return verdict(planned, report.unsent)
        }

        private val left = ArrayList<ShopBackend>()

        private suspend fun open(name: String) = scope.openShopBackend(name, log)

        /** It answers what it has; it is stopped at the end, when nobody asks it any more. */
        private fun leaving(backend: ShopBackend?) {
            backend?.let(left::add)
        }

        private suspend fun change(what: String, act: suspend () -> Unit) {
            val before = askers.answered
            act()
            zone.list(listed.values)
            val start = TimeSource.Monotonic.markNow()
            awaitPipes(req) { it.askPort }
            awaitPipes(surveyor) { it.surveyPort }
            val took = start.elapsedNow()
            slowest = maxOf(slowest, took)
            survey(what)
            delay(look)
            val names = listed.keys.joinToString()
            out.println("$what: $names; followed in $took, ${askers.answered - before} answers meanwhile")
        }

        /** Gives up after twice the bound, which is missed then. */
        private suspend fun awaitPipes(socket: MessageSocket, port: (ShopBackend) -> Int) {
            val expected = listed.values.map { "tcp://127.0.0.1:${port(it)}" }.toSet()
            withTimeoutOrNull(bound * 2) {
                socket.pipes.first { pipes -> pipes.map { it.url }.toSet() == expected && pipes.size == expected.size }
            }
        }

        /** Until all have answered, and a little longer: nobody may answer twice. */
        private suspend fun survey(what: String) {
            val expected = listed.keys.map { "up?@$it" }
            val answers = coroutineScope {
                val all = CompletableDeferred<Unit>()
                val heard = ArrayList<String>()
                val listening = launch {
                    surveyor.survey("up?".encodeToByteArray()).collect {
                        heard += it.decodeToString()
                        if (heard.size == expected.size) all.complete(Unit)
                    }
                    all.complete(Unit)
                }
                all.await()
                delay(AGAIN)
                listening.cancelAndJoin()
                heard
            }
            checks +=
                Check(
                    "survey: $what",
                    "${answers.size} answers",
                    "one of each of ${expected.size}",
                    answers.sorted() == expected.sorted(),
                )
        }

        private fun verdict(planned: Int, unsent: Long): Verdict {
            val asked = askers.asked
            val twice = log.repeated()
            return Verdict(
                listOf(
                    Check("questions answered", "${askers.answered} of $asked", "all", askers.answered == asked),
                    Check("answers to another question", "${askers.mistaken}", "0", askers.mistaken == 0L),
                    Check("answered twice, by plan", "$planned", "0", planned == 0),
                    Check("answered twice, by a death", "$twice", "at most $ASKERS", twice <= ASKERS),
                    Check("messages unsent at the end", "$unsent", "0", unsent == 0L),
                    Check("slowest to follow", "$slowest", "$bound", slowest <= bound),
                ) + checks,
            )
        }
    }

    private companion object {
        const val ASKERS = 32
        val AGAIN = 300.milliseconds
    }
}

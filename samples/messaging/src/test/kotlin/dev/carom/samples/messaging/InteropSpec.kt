package dev.carom.samples.messaging

import dev.carom.sockets.MessageSocket
import dev.carom.sockets.SocketPolicy
import dev.carom.sockets.openBusSocket
import dev.carom.sockets.openPairSocket
import dev.carom.sockets.openPubSocket
import dev.carom.sockets.openPullSocket
import dev.carom.sockets.openPushSocket
import dev.carom.sockets.openRepSocket
import dev.carom.sockets.openReqSocket
import dev.carom.sockets.openRespondentSocket
import dev.carom.sockets.openSubSocket
import dev.carom.sockets.openSurveyorSocket
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.net.ServerSocket
import java.nio.file.Files
import kotlin.time.Duration.Companion.seconds

/** Every role of six patterns against nanocat and nngcat, over TCP and IPC, whoever binds. */
class InteropSpec :
    FunSpec({
        for (program in Tool.Program.entries) {
            if (!program.isInstalled) println("SKIPPED: ${program.name.lowercase()} is not installed, nothing is tried with it")
            for (transport in listOf("tcp", "ipc")) {
                for (weBind in listOf(true, false)) {
                    val how = "$transport, ${if (weBind) "we bind" else "it binds"}"
                    for ((role, meeting) in meetings) {
                        test("${program.name.lowercase()}, $how: $role").config(enabled = program.isInstalled) {
                            withClue("$program $how $role") { Meeting(program, transport, weBind).meeting() }
                        }
                    }
                }
            }
        }
    }) {
    private companion object {
        val meetings: Map<String, suspend Meeting.() -> Unit> = mapOf(
            "we ask, it answers" to {
                with({ openReqSocket("req") }, "--rep", "-D", "pong", "-Q") { tool ->
                    request(bytes("ping")).decodeToString() shouldBe "pong"
                    tool.line() shouldBe "ping"
                }
            },
            "it asks, we answer" to {
                with({ openRepSocket("rep") }, "--req", "-D", "ping", "-Q") { tool ->
                    receive().use {
                        it.body.decodeToString() shouldBe "ping"
                        it.reply(bytes("pong"))
                    }
                    tool.line() shouldBe "pong"
                    tool.exit() shouldBe 0
                }
            },
            "we push, it pulls" to {
                with({ openPushSocket("push") }, "--pull", "-Q") { tool ->
                    for (i in 1..3) send(bytes("job $i"))
                    for (i in 1..3) tool.line() shouldBe "job $i"
                }
            },
            "it pushes, we pull" to {
                with({ openPullSocket("pull") }, "--push", "-D", "job", "-i", "1") {
                    repeat(2) { receive().decodeToString() shouldBe "job" }
                }
            },
            "we publish, it subscribes" to {
                with({ openPubSocket("pub") }, "--sub", "--subscribe", "topic", "-Q") { tool ->
                    awaitPipes(1)
                    send(bytes("other:1"))
                    send(bytes("topic:2"))
                    tool.line() shouldBe "topic:2"
                }
            },
            "it publishes, we subscribe" to {
                with({ openSubSocket("sub").also { it.subscribe("topic") } }, "--pub", "-D", "topic:1", "-i", "1") {
                    receive().decodeToString() shouldBe "topic:1"
                }
            },
            "we survey, it responds" to {
                val policy = SocketPolicy(surveyDeadline = 20.seconds)
                with({ openSurveyorSocket("surveyor", policy) }, "--respondent", "-D", "me", "-Q") { tool ->
                    awaitPipes(1)
                    survey(bytes("who?")).first().decodeToString() shouldBe "me"
                    tool.line() shouldBe "who?"
                }
            },
            "it surveys, we respond" to {
                with({ openRespondentSocket("respondent") }, "--surveyor", "-D", "who?", "-i", "1", "-Q") { tool ->
                    receive().use {
                        it.body.decodeToString() shouldBe "who?"
                        it.reply(bytes("me"))
                    }
                    tool.line() shouldBe "me"
                }
            },
            "a pair, both ways" to {
                with({ openPairSocket("pair") }, "--pair", "-D", "from it", "-i", "1", "-Q") { tool ->
                    receive().decodeToString() shouldBe "from it"
                    send(bytes("from us"))
                    tool.line() shouldBe "from us"
                }
            },
            "a bus, both ways" to {
                with({ openBusSocket("bus") }, "--bus", "-D", "from it", "-i", "1", "-Q") { tool ->
                    receive().decodeToString() shouldBe "from it"
                    send(bytes("from us"))
                    tool.line() shouldBe "from us"
                }
            },
        )

        fun bytes(text: String) = text.encodeToByteArray()
    }
}

/** One socket of ours and one process, in an address of their own. */
class Meeting(private val program: Tool.Program, private val transport: String, private val weBind: Boolean) {
    suspend fun <S : MessageSocket> with(
        open: suspend CoroutineScope.() -> S,
        vararg arguments: String,
        talk: suspend S.(Tool) -> Unit,
    ) = withContext(Dispatchers.Default) {
        withTimeout(30.seconds) {
            coroutineScope {
                val socket = open()
                try {
                    meet(socket, arguments, talk)
                } finally {
                    withContext(NonCancellable) { socket.close(0) }
                }
            }
        }
    }

    private suspend fun <S : MessageSocket> meet(socket: S, arguments: Array<out String>, talk: suspend S.(Tool) -> Unit) {
        val directory = Files.createTempDirectory("interop")
        try {
            val url = if (transport == "ipc") "ipc://$directory/x" else "tcp://127.0.0.1:${if (weBind) 0 else freePort()}"
            val where = if (weBind) socket.bind(url).url else url.also { socket.connect(it) }
            program.start(*arguments, if (weBind) "--connect" else "--bind", where).use { socket.talk(it) }
        } finally {
            directory.toFile().deleteRecursively()
        }
    }

    /** One that the system would have given: somebody else has to bind it. */
    private fun freePort(): Int = ServerSocket(0).use { it.localPort }
}

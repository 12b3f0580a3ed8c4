package dev.carom.sockets

import dev.carom.pool.testkit.LeakCheckListener
import io.kotest.core.spec.style.FunSpec
import io.kotest.core.test.Enabled
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.launch
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import kotlin.time.Duration.Companion.seconds

/**
 * Against the tools of nanomsg and nng, six patterns over TCP and IPC, in both roles, whoever binds. `-Dcarom.interop=true`;
 * Debian has them in nanomsg-utils and nng-utils.
 */
class NativeInteropTest :
    FunSpec({
        extension(LeakCheckListener())

        for (tool in Tool.entries) {
            for (row in rows.filter { it.isPlain }) {
                for (weBind in listOf(true, false)) {
                    val title = "${tool.command.first()}, $row, ${if (weBind) "we bind" else "the tool binds"}"
                    for ((role, play) in plays) {
                        test("$title: $role").config(enabledOrReasonIf = { tool.enabled() }) {
                            live { play(Scene(this, tool, row, weBind)) }
                        }
                    }
                }
            }
        }
    })

private enum class Tool(vararg val command: String) {
    Nanocat("nanocat"),
    Nngcat("nngcat", "--compat"),
    ;

    val pair: String get() = if (this == Nngcat) "--pair0" else "--pair"

    fun enabled(): Enabled = when {
        !System.getProperty("carom.interop").toBoolean() -> Enabled.disabled("set -Dcarom.interop=true to run it")
        !File("/usr/bin/${command.first()}").canExecute() -> Enabled.disabled("${command.first()} is not installed")
        else -> Enabled.enabled
    }
}

/** One of our sockets and one run of a tool. */
private class Scene(val scope: CoroutineScope, val tool: Tool, val row: Row, val weBind: Boolean) {
    /** Connects [socket] with the tool; [act] hears the lines that it prints. The tool is ended afterwards. */
    suspend fun with(socket: MessageSocket, vararg arguments: String, act: suspend (Lines) -> Unit) {
        val url = if (weBind) socket.bind(row.url()).url else freeUrl()
        val process = ProcessBuilder(
            tool.command.toList() + arguments + listOf(if (weBind) "--connect" else "--bind", url),
        )
            .redirectErrorStream(true).start()
        try {
            if (!weBind) socket.connect(url)
            act(Lines(process))
            socket.close()
        } finally {
            process.toHandle().destroyForcibly()
            process.onExit().join()
        }
    }

    private fun freeUrl(): String {
        val url = row.url()
        if (!url.endsWith(":0")) return url
        return "tcp://127.0.0.1:" + ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
    }
}

private class Lines(private val process: Process) {
    /** What the tool prints next. */
    suspend fun next(): String = flow { emit(process.inputReader().readLine()) }.flowOn(Dispatchers.IO).first()
}

private val plays: Map<String, suspend Scene.() -> Unit> = mapOf(
    "REQ asks us" to {
        val rep = scope.openRepSocket("rep", transports = row.transports)
        with(rep, "--req", "-D", "ping", "-Q") { lines ->
            rep.receive().run {
                body.decodeToString() shouldBe "ping"
                reply(bytes("pong"))
            }
            lines.next() shouldBe "\"pong\""
        }
    },
    "REP answers us" to {
        val req = scope.openReqSocket("req", transports = row.transports)
        with(req, "--rep", "-D", "canned", "-Q") { lines ->
            req.request(bytes("question")).decodeToString() shouldBe "canned"
            lines.next() shouldBe "\"question\""
        }
    },
    "PUSH works for us" to {
        val pull = scope.openPullSocket("pull", transports = row.transports)
        with(pull, "--push", "-D", "job", "-d", "1") { pull.receive().decodeToString() shouldBe "job" }
    },
    "PULL works with us" to {
        val push = scope.openPushSocket("push", transports = row.transports)
        with(push, "--pull", "-Q") { lines ->
            push.send(bytes("job"))
            lines.next() shouldBe "\"job\""
        }
    },
    "PUB tells us" to {
        val sub = scope.openSubSocket("sub", transports = row.transports)
        sub.subscribe("to")
        with(sub, "--pub", "-D", "topic:1", "-d", "1", "-i", "1") { sub.receive().decodeToString() shouldBe "topic:1" }
    },
    "SUB hears us" to {
        val pub = scope.openPubSocket("pub", transports = row.transports)
        with(pub, "--sub", "--subscribe", "to", "-Q") { lines ->
            pub.awaitPipes(1)
            pub.send(bytes("nothing for it"))
            pub.send(bytes("topic:1"))
            lines.next() shouldBe "\"topic:1\""
        }
    },
    "RESPONDENT answers us" to {
        val policy = SocketPolicy(surveyDeadline = 60.seconds)
        val surveyor = scope.openSurveyorSocket("surveyor", policy, row.transports)
        with(surveyor, "--respondent", "-D", "me", "-Q") { lines ->
            surveyor.awaitPipes(1)
            surveyor.survey(bytes("who?")).first().decodeToString() shouldBe "me"
            lines.next() shouldBe "\"who?\""
        }
    },
    "SURVEYOR asks us" to {
        val respondent = scope.openRespondentSocket("respondent", transports = row.transports)
        with(respondent, "--surveyor", "-D", "who?", "-d", "1", "-i", "1", "-Q") { lines ->
            val answering = scope.launch { respondent.serve(1) { bytes("me") } }
            lines.next() shouldBe "\"me\""
            respondent.close()
            answering.join()
        }
    },
    "BUS hears us and tells us" to {
        val bus = scope.openBusSocket("bus", transports = row.transports)
        with(bus, "--bus", "-D", "from it", "-d", "1", "-i", "1", "-Q") { lines ->
            bus.awaitPipes(1)
            bus.send(bytes("from us"))
            bus.receive().decodeToString() shouldBe "from it"
            lines.next() shouldBe "\"from us\""
        }
    },
    "PAIR hears us and tells us" to {
        val pair = scope.openPairSocket("pair", transports = row.transports)
        with(pair, tool.pair, "-D", "from it", "-d", "1", "-Q") { lines ->
            pair.send(bytes("from us"))
            pair.receive().decodeToString() shouldBe "from it"
            lines.next() shouldBe "\"from us\""
        }
    },
)

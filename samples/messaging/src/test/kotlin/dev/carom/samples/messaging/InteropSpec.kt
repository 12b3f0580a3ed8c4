package dev.carom.samples.messaging

import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import dev.carom.pool.testkit.TestCertificates
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
import dev.carom.sockets.transport.NioTransports
import dev.carom.sockets.transport.TlsTransports
import dev.carom.sockets.transport.Transports
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds

/**
 * Every role of six patterns against nngcat over TLS, whoever binds. Over TCP and IPC, and against nanocat, which speaks no
 * TLS, the sockets' own tests do the same.
 */
class InteropSpec :
    FunSpec({
        val missing = Tool.missing
        if (missing != null) println("SKIPPED: the sockets' interop with nngcat over TLS: $missing")
        for (weBind in listOf(true, false)) {
            for ((role, meeting) in meetings) {
                val how = "nngcat, ${if (weBind) "we bind" else "it binds"}: $role"
                test(how).config(enabled = missing == null) { withClue(how) { Meeting(weBind).meeting() } }
            }
        }
    }) {
    private companion object {
        val meetings: Map<String, suspend Meeting.() -> Unit> = mapOf(
            "we ask, it answers" to {
                with({ openReqSocket("req", transports = it) }, "--rep", "-D", "pong", "-Q") { tool ->
                    request(bytes("ping")).decodeToString() shouldBe "pong"
                    tool.line() shouldBe "ping"
                }
            },
            "it asks, we answer" to {
                with({ openRepSocket("rep", transports = it) }, "--req", "-D", "ping", "-Q") { tool ->
                    receive().use {
                        it.body.decodeToString() shouldBe "ping"
                        it.reply(bytes("pong"))
                    }
                    tool.line() shouldBe "pong"
                    tool.exit() shouldBe 0
                }
            },
            "we push, it pulls" to {
                with({ openPushSocket("push", transports = it) }, "--pull", "-Q") { tool ->
                    for (i in 1..3) send(bytes("job $i"))
                    for (i in 1..3) tool.line() shouldBe "job $i"
                }
            },
            "it pushes, we pull" to {
                with({ openPullSocket("pull", transports = it) }, "--push", "-D", "job", "-i", "1") {
                    repeat(2) { receive().decodeToString() shouldBe "job" }
                }
            },
            "we publish, it subscribes" to {
                with({ openPubSocket("pub", transports = it) }, "--sub", "--subscribe", "topic", "-Q") { tool ->
                    awaitPipes(1)
                    send(bytes("other:1"))
                    send(bytes("topic:2"))
                    tool.line() shouldBe "topic:2"
                }
            },
            "it publishes, we subscribe" to {
                with({ openSubSocket("sub", transports = it) }, "--pub", "-D", "topic:1", "-i", "1") {
                    subscribe("topic")
                    receive().decodeToString() shouldBe "topic:1"
                }
            },
            "we survey, it responds" to {
                val policy = SocketPolicy(surveyDeadline = 20.seconds)
                with({ openSurveyorSocket("surveyor", policy, it) }, "--respondent", "-D", "me", "-Q") { tool ->
                    awaitPipes(1)
                    survey(bytes("who?")).first().decodeToString() shouldBe "me"
                    tool.line() shouldBe "who?"
                }
            },
            "it surveys, we respond" to {
                with({ openRespondentSocket("us", transports = it) }, "--surveyor", "-D", "who?", "-i1", "-Q") { tool ->
                    receive().use {
                        it.body.decodeToString() shouldBe "who?"
                        it.reply(bytes("me"))
                    }
                    coroutineScope {
                        // An answer that comes after the survey it belongs to has ended is not told: there is a next one.
                        val answering = launch { while (true) receive().use { it.reply(bytes("me")) } }
                        tool.line() shouldBe "me"
                        answering.cancelAndJoin()
                    }
                }
            },
            "a pair, both ways" to {
                with({ openPairSocket("pair", transports = it) }, "--pair", "-D", "from it", "-i", "1", "-Q") { tool ->
                    receive().decodeToString() shouldBe "from it"
                    send(bytes("from us"))
                    tool.line() shouldBe "from us"
                }
            },
            "a bus, both ways" to {
                with({ openBusSocket("bus", transports = it) }, "--bus", "-D", "from it", "-i", "1", "-Q") { tool ->
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
class Meeting(private val weBind: Boolean) {
    suspend fun <S : MessageSocket> with(
        open: suspend CoroutineScope.(Transports) -> S,
        vararg arguments: String,
        talk: suspend S.(Tool) -> Unit,
    ) = withContext(Dispatchers.Default) {
        withTimeout(30.seconds) {
            coroutineScope {
                val socket = open(transports)
                try {
                    meet(socket, arguments, talk)
                } finally {
                    withContext(NonCancellable) { socket.close(0) }
                }
            }
        }
    }

    private suspend fun <S : MessageSocket> meet(
        socket: S,
        arguments: Array<out String>,
        talk: suspend S.(Tool) -> Unit,
    ) {
        val directory = Files.createTempDirectory("interop")
        try {
            val url = "tls+tcp://127.0.0.1:${if (weBind) 0 else freePort()}"
            val where = if (weBind) socket.bind(url).url else url.also { socket.connect(named(it)) }
            val place = if (weBind) listOf("--connect", named(where)) else listOf("--bind", where)
            Tool.start(*arguments, *place.toTypedArray(), *papers(directory).toTypedArray())
                .use { socket.talk(it) }
        } finally {
            directory.toFile().deleteRecursively()
        }
    }

    /** Whoever must prove a name is called by it. */
    private fun named(url: String) = url.replace("127.0.0.1", "localhost")

    private fun papers(directory: Path): List<String> = if (weBind) {
        val trusted = directory.resolve("authority.pem").also(authority::writePem)
        listOf("--cacert", "$trusted")
    } else {
        val (certificate, key) = directory.resolve("chain.pem") to directory.resolve("key.pem")
        identity.writePem(certificate, key)
        listOf("--cert", "$certificate", "--key", "$key")
    }

    /** One that the system would have given: somebody else has to bind it. */
    private fun freePort(): Int = ServerSocket(0).use { it.localPort }

    private companion object {
        val authority = TestCertificates("authority")
        val identity = authority.issue("localhost")
        val tls = TlsPolicy(
            trust = TlsTrust.certificates(listOf(authority.certificate)),
            key = TlsKey.of(identity.chain, identity.privateKey),
        )
        val transports = NioTransports.all() + TlsTransports.over(NioTransports.tcp(), tls)
    }
}

package dev.carom.samples.messaging.cat

import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import dev.carom.sockets.Protocol
import dev.carom.sockets.SocketPolicy
import dev.carom.sockets.transport.KtorTransports
import dev.carom.sockets.transport.NioTransports
import dev.carom.sockets.transport.TlsTransports
import dev.carom.sockets.transport.Transport
import dev.carom.sockets.transport.Transports
import picocli.CommandLine.ArgGroup
import picocli.CommandLine.Option
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Which socket: exactly one of these. */
class RoleFlags {
    @Option(names = ["--push", "--push0"], description = ["Give each message to one peer."])
    var push = false

    @Option(names = ["--pull", "--pull0"], description = ["Take messages from every peer."])
    var pull = false

    @Option(names = ["--pub", "--pub0"], description = ["Send each message to every subscriber."])
    var pub = false

    @Option(names = ["--sub", "--sub0"], description = ["Take what begins with a topic."])
    var sub = false

    @Option(names = ["--req", "--req0"], description = ["Ask one peer."])
    var req = false

    @Option(names = ["--rep", "--rep0"], description = ["Answer."])
    var rep = false

    @Option(names = ["--surveyor", "--surveyor0"], description = ["Ask every peer."])
    var surveyor = false

    @Option(names = ["--respondent", "--respondent0"], description = ["Answer surveys."])
    var respondent = false

    @Option(names = ["--bus", "--bus0"], description = ["Send to every peer, and hear them."])
    var bus = false

    @Option(names = ["--pair", "--pair0"], description = ["One peer, both ways."])
    var pair = false

    @Option(names = ["--pair1"], description = ["One peer, both ways, with a count of hops."])
    var pair1 = false

    val protocol: Protocol
        get() = listOf(
            push to Protocol.Push,
            pull to Protocol.Pull,
            pub to Protocol.Pub,
            sub to Protocol.Sub,
            req to Protocol.Req,
            rep to Protocol.Rep,
            surveyor to Protocol.Surveyor,
            respondent to Protocol.Respondent,
            bus to Protocol.Bus,
            pair to Protocol.Pair,
            pair1 to Protocol.PairV1,
        ).first { it.first }.second
}

/** Where: any number of these, at least one. */
class PlaceFlags {
    @Option(names = ["--bind", "--listen"], paramLabel = "URL", description = ["Listen there."])
    var bind: List<String> = emptyList()

    @Option(names = ["--connect", "--dial"], paramLabel = "URL", description = ["Connect there."])
    var connect: List<String> = emptyList()

    @Option(names = ["--bind-ipc", "-X"], paramLabel = "PATH", description = ["Listen at ipc://PATH."])
    var bindIpc: List<String> = emptyList()

    @Option(names = ["--connect-ipc", "-x"], paramLabel = "PATH", description = ["Connect to ipc://PATH."])
    var connectIpc: List<String> = emptyList()

    @Option(names = ["--bind-local", "-L"], paramLabel = "PORT", description = ["Listen at tcp://127.0.0.1:PORT."])
    var bindLocal: List<Int> = emptyList()

    @Option(names = ["--connect-local", "-l"], paramLabel = "PORT", description = ["Connect to tcp://127.0.0.1:PORT."])
    var connectLocal: List<Int> = emptyList()

    @Option(
        names = ["--resolve"],
        paramLabel = "NAME",
        description = ["Connect to every backend of an SRV name, as _jobs._tcp.shop.test, and follow it."],
    )
    var resolve: List<String> = emptyList()

    val binds: List<String> get() = bind + bindIpc.map { "ipc://$it" } + bindLocal.map { "tcp://127.0.0.1:$it" }
    val connects: List<String>
        get() = connect + connectIpc.map { "ipc://$it" } + connectLocal.map { "tcp://127.0.0.1:$it" }
}

/** How messages are shown: at most one of these. */
class FormatFlags {
    @Option(names = ["--format"], paramLabel = "FORMAT", description = ["One of no, ascii, hex, msgpack, quoted, raw."])
    var format: String? = null

    @Option(names = ["--raw"], description = ["As they are, without a delimiter."])
    var raw = false

    @Option(names = ["--ascii", "-A"], description = ["A line each; other characters become dots."])
    var ascii = false

    @Option(names = ["--quoted", "-Q"], description = ["A line each, in quotes, escaped as in C."])
    var quoted = false

    @Option(names = ["--hex"], description = ["A line each, in quotes, as \\xHH."])
    var hex = false

    @Option(names = ["--msgpack"], description = ["As MessagePack binaries."])
    var msgpack = false

    val chosen: Format
        get() = when {
            raw -> Format.Raw
            ascii -> Format.Ascii
            quoted -> Format.Quoted
            hex -> Format.Hex
            msgpack -> Format.Msgpack
            else -> Format.entries.first { it.name.equals(format ?: "no", ignoreCase = true) }
        }
}

/** What is sent: at most one of these. */
class SourceFlags {
    @Option(names = ["--data", "-D"], paramLabel = "DATA", description = ["Send this text."])
    var data: String? = null

    @Option(names = ["--file", "-F"], paramLabel = "PATH", description = ["Send this file; - is the standard input."])
    var file: String? = null

    fun bytes(): ByteArray? = data?.encodeToByteArray()
        ?: file?.let { if (it == "-") System.`in`.readAllBytes() else Path.of(it).toFile().readBytes() }
}

/** When, how often, how large, how safe. */
class LimitFlags {
    @Option(names = ["--interval", "-i"], paramLabel = "SEC", description = ["Send again and again, so often."])
    var interval: Double? = null

    @Option(names = ["--delay", "-d"], paramLabel = "SEC", description = ["Wait so long before sending at first."])
    var delay: Double = 0.0

    @Option(
        names = ["--count", "-C"],
        paramLabel = "N",
        description = ["End after so many messages sent, or received."],
    )
    var count: Long = Long.MAX_VALUE

    @Option(names = ["--recv-timeout"], paramLabel = "SEC", description = ["End when nothing came for so long."])
    var receiveTimeout: Double? = null

    @Option(
        names = ["--send-timeout"],
        paramLabel = "SEC",
        description = ["Fail when nobody took a message for so long."],
    )
    var sendTimeout: Double? = null

    @Option(names = ["--recv-maxsz", "-Z"], paramLabel = "BYTES", description = ["Largest message received."])
    var receiveLimit: Int = 1 shl 20

    @Option(names = ["--subscribe"], paramLabel = "TOPIC", description = ["What --sub takes; everything if not said."])
    var topics: List<String> = emptyList()

    @Option(names = ["--survey-time"], paramLabel = "SEC", description = ["How long --surveyor waits for answers: 1."])
    var surveyTime: Double = 1.0

    @Option(names = ["--socket-name"], paramLabel = "NAME", description = ["For messages of the tool itself."])
    var name: String = "spcat"

    @Option(
        names = ["--nameserver"],
        paramLabel = "HOST:PORT",
        description = ["Whom --resolve asks, not the system's."],
    )
    var nameServer: String? = null

    @Option(names = ["--cacert"], paramLabel = "FILE", description = ["Whom to trust (tls+tcp), as PEM."])
    var trusted: Path? = null

    @Option(names = ["--cert", "-E"], paramLabel = "FILE", description = ["Our certificate, as PEM."])
    var certificate: Path? = null

    @Option(names = ["--key"], paramLabel = "FILE", description = ["Its private key, as PEM."])
    var key: Path? = null

    @Option(names = ["--insecure", "-k"], description = ["Do not ask a server for its name."])
    var insecure = false

    @Option(names = ["--engine"], paramLabel = "ENGINE", description = ["nio or ktor."], defaultValue = "nio")
    var engine: String = "nio"

    @Option(names = ["--async", "--compat"], description = ["Understood for nngcat's sake: it is always so."])
    var ignored = false

    fun policy(): SocketPolicy = SocketPolicy(
        receiveLimit = receiveLimit,
        sendTimeout = sendTimeout.orInfinite(),
        receiveTimeout = receiveTimeout.orInfinite(),
        requestTimeout = receiveTimeout.orInfinite(),
        surveyDeadline = surveyTime.seconds,
    )

    fun transports(): Transports {
        require(engine == "nio" || engine == "ktor") { "the engine must be nio or ktor, was $engine" }
        val portable = engine == "ktor"
        val tcp = if (portable) KtorTransports.tcp() else NioTransports.tcp()
        val ipc = if (portable) KtorTransports.ipc() else NioTransports.ipc()
        return Transports(tcp, ipc, secured(tcp))
    }

    private fun secured(tcp: Transport): Transport {
        val chain = certificate
        val key = if (chain == null) null else TlsKey.pem(chain, this.key ?: chain)
        val trust = trusted?.let(TlsTrust::pem) ?: TlsTrust.system()
        return TlsTransports.over(tcp, TlsPolicy(trust = trust, key = key, verifyHost = !insecure))
    }

    private fun Double?.orInfinite(): Duration = this?.seconds ?: Duration.INFINITE
}

/** The command line of [Spcat]. */
class SpcatOptions {
    @ArgGroup(exclusive = true, multiplicity = "1", heading = "What (one of):%n")
    lateinit var role: RoleFlags

    @ArgGroup(exclusive = false, multiplicity = "1", heading = "Where (at least one):%n")
    lateinit var places: PlaceFlags

    @ArgGroup(exclusive = true, multiplicity = "0..1", heading = "Show messages (one of):%n")
    var format: FormatFlags = FormatFlags()

    @ArgGroup(exclusive = true, multiplicity = "0..1", heading = "Send (one of):%n")
    var source: SourceFlags = SourceFlags()

    @ArgGroup(exclusive = false, multiplicity = "0..1", heading = "How:%n")
    var limits: LimitFlags = LimitFlags()

    @Option(names = ["--silent", "-q"], description = ["Say nothing but messages."])
    var silent = false

    @Option(names = ["--verbose", "-v"], description = ["Say what happens to connections."])
    var verbose = false
}

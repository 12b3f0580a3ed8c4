package dev.carom.samples.messaging.cat

import dev.carom.pool.Resolver
import dev.carom.pool.dns.DnsConfig
import dev.carom.pool.dns.DnsResolver
import dev.carom.pool.dns.DnsjavaLookup
import dev.carom.sockets.AnsweringSocket
import dev.carom.sockets.MessageSocket
import dev.carom.sockets.Protocol
import dev.carom.sockets.SocketException
import dev.carom.sockets.SubSocket
import dev.carom.sockets.openBusSocket
import dev.carom.sockets.openPairSocket
import dev.carom.sockets.openPairV1Socket
import dev.carom.sockets.openPubSocket
import dev.carom.sockets.openPullSocket
import dev.carom.sockets.openPushSocket
import dev.carom.sockets.openRepSocket
import dev.carom.sockets.openReqSocket
import dev.carom.sockets.openRespondentSocket
import dev.carom.sockets.openSubSocket
import dev.carom.sockets.openSurveyorSocket
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.io.OutputStream
import java.io.PrintStream
import java.net.InetSocketAddress
import kotlin.time.Duration.Companion.seconds

/** One run of [Spcat]. */
class Cat(private val options: SpcatOptions, private val out: OutputStream, private val err: PrintStream) {
    private val limits = options.limits
    private val policy = limits.policy()
    private val transports = limits.transports()
    private val format = options.format.chosen
    private val data: ByteArray? = options.source.bytes()
    private var shown = 0L

    /** The exit code: 0, or 1 if it failed or nothing came in time. */
    suspend fun run(): Int = try {
        coroutineScope { play(options.role.protocol) }
        0
    } catch (e: SocketException.TimedOut) {
        if (shown == 0L) failed(e) else 0
    } catch (e: SocketException) {
        failed(e)
    } catch (e: IllegalArgumentException) {
        failed(e)
    }

    private fun failed(cause: Exception): Int {
        if (!options.silent) err.println("spcat: ${cause.message}")
        return 1
    }

    private suspend fun CoroutineScope.play(protocol: Protocol): Unit = when (protocol) {
        Protocol.Push -> openPushSocket(limits.name, policy, transports).use { sending { send(it) } }

        Protocol.Pull -> openPullSocket(limits.name, policy, transports).use { receiving { receive() } }

        Protocol.Pub -> openPubSocket(limits.name, policy, transports).use { sending { send(it) } }

        Protocol.Sub -> openSubSocket(limits.name, policy, transports).also(::subscribe).use { receiving { receive() } }

        Protocol.Req -> openReqSocket(limits.name, policy, transports).use { sending { show(request(it)) } }

        Protocol.Rep -> openRepSocket(limits.name, policy, transports).use { answering(this) }

        Protocol.Surveyor -> openSurveyorSocket(limits.name, policy, transports).use {
            sending { question -> survey(question).collect(::show) }
        }

        Protocol.Respondent -> openRespondentSocket(limits.name, policy, transports).use { answering(this) }

        Protocol.Bus -> openBusSocket(limits.name, policy, transports).use { both({ send(it) }, { receive() }) }

        Protocol.Pair -> openPairSocket(limits.name, policy, transports).use { both({ send(it) }, { receive() }) }

        Protocol.PairV1 -> openPairV1Socket(limits.name, policy, transports).use { both({ send(it) }, { receive() }) }
    }

    private fun subscribe(socket: SubSocket) = limits.topics.ifEmpty { listOf("") }.forEach(socket::subscribe)

    /** Closing it sends what was accepted: whoever exits at once is heard. */
    private suspend fun <S : MessageSocket> S.use(talk: suspend S.() -> Unit) = coroutineScope {
        val watching = launch(start = CoroutineStart.UNDISPATCHED) {
            if (options.verbose) notices.collect { err.println("spcat: $it") }
        }
        try {
            options.places.binds.forEach { bind(it) }
            options.places.connects.forEach { connect(it) }
            options.places.resolve.forEach { connect(resolver(it)) }
            talk()
        } finally {
            withContext(NonCancellable) {
                val report = close()
                if (report.unsent > 0 && !options.silent) err.println("spcat: $report")
            }
            watching.cancel()
        }
    }

    /** Labels with an underscore are the service, the rest is the name. */
    private fun resolver(name: String): Resolver {
        val labels = name.split('.')
        val service = labels.takeWhile { it.startsWith('_') }.joinToString(".")
        val host = labels.dropWhile { it.startsWith('_') }.joinToString(".")
        require(service.isNotEmpty() && host.isNotEmpty()) {
            "--resolve needs a name as _jobs._tcp.shop.test, was $name"
        }
        val system = limits.nameServer?.let { DnsConfig(listOf(address(it))) } ?: DnsConfig.system()
        return DnsResolver(DnsjavaLookup(system), host, service)
    }

    private fun address(text: String) =
        InetSocketAddress(text.substringBeforeLast(':'), text.substringAfterLast(':').toInt())

    private suspend fun sending(send: suspend (ByteArray) -> Unit) {
        val message = requireNotNull(data) { "there is nothing to send: say --data or --file" }
        delay(limits.delay.seconds)
        val interval = limits.interval
        if (interval == null) return send(message)
        for (i in 0 until limits.count) {
            if (i > 0) delay(interval.seconds)
            send(message)
        }
    }

    private suspend fun receiving(receive: suspend () -> ByteArray) {
        while (shown < limits.count) show(receive())
    }

    private suspend fun answering(socket: AnsweringSocket) {
        while (shown < limits.count) {
            socket.receive().use { request ->
                show(request.body)
                if (data != null) request.reply(data)
            }
        }
    }

    /** Sends, if there is something to send, and receives; without end, if there is no count or time. */
    private suspend fun both(send: suspend (ByteArray) -> Unit, receive: suspend () -> ByteArray) = coroutineScope {
        val talking = launch { if (data != null) sending(send) }
        receiving(receive)
        talking.join()
    }

    private fun show(message: ByteArray) {
        shown++
        out.write(format.of(message))
        out.flush()
    }
}

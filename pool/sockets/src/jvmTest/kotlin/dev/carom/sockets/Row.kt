package dev.carom.sockets

import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import dev.carom.pool.testkit.TestCertificates
import dev.carom.sockets.transport.Door
import dev.carom.sockets.transport.End
import dev.carom.sockets.transport.KtorTransports
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.NioTransports
import dev.carom.sockets.transport.TlsTransports
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.nio.file.Files
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.minutes

/** A transport of an engine, on which every socket must behave the same. */
internal class Row(val name: String, val transports: Transports, private val newUrl: () -> String) {
    /** Somewhere to bind that nobody else uses. */
    fun url(): String = newUrl()

    /** Whether it is what most will use, rather than another engine or layer that does the same at some cost. */
    val isCommon: Boolean get() = name in setOf("tcp over nio", "inproc")

    val isTls: Boolean get() = name.startsWith("tls")

    /** Whether a peer of bare bytes can talk to it. */
    val isPlain: Boolean get() = !isTls && name != "inproc"

    override fun toString(): String = name
}

private val numbers = AtomicInteger()
private val directory by lazy { Files.createTempDirectory("carom").also { it.toFile().deleteOnExit() } }

private val ktor = KtorTransports.all()
private val tls by lazy {
    val authority = TestCertificates("authority")
    val identity = authority.issue("localhost", "127.0.0.1")
    TlsPolicy(
        trust = TlsTrust.certificates(listOf(authority.certificate)),
        key = TlsKey.of(identity.chain, identity.privateKey),
    ).also(::shakeHandsOnce)
}

/** The JDK's very first handshake takes seconds on a busy machine: longer than sockets wait. */
private fun shakeHandsOnce(policy: TlsPolicy) = runBlocking {
    val transports = Transports(TlsTransports.over(NioTransports.tcp(), policy))
    val transport = checkNotNull(transports["tls+tcp"])
    val (door, here) = Door() to End()
    val listener = transport.listen(transports.address("tls+tcp://127.0.0.1:0", bind = true), LinkOptions(), door)
    val link = transport.dial(door.bound.await(), LinkOptions(), here)
    here.open.await()
    val there = door.came.receive()
    there.open.await().close()
    link.close()
    listener.close()
    here.closed.await()
    there.closed.await()
    door.closed.await()
}

internal val rows: List<Row> = listOf(
    Row("tcp over nio", NioTransports.all()) { "tcp://127.0.0.1:0" },
    Row("ipc over nio", NioTransports.all()) { "ipc://$directory/${numbers.incrementAndGet()}" },
    Row("tcp over ktor", ktor) { "tcp://127.0.0.1:0" },
    Row("ipc over ktor", ktor) { "ipc://$directory/${numbers.incrementAndGet()}" },
    Row("tls over nio", Transports(TlsTransports.over(NioTransports.tcp(), tls))) { "tls+tcp://127.0.0.1:0" },
    Row("tls over ktor", Transports(TlsTransports.over(KtorTransports.tcp(), tls))) { "tls+tcp://127.0.0.1:0" },
    Row("inproc", NioTransports.all()) { "inproc://row ${numbers.incrementAndGet()}" },
)

/** Real time and threads; nothing here takes long unless it hangs, or the machine is very busy. */
internal suspend fun live(block: suspend CoroutineScope.() -> Unit) = withContext(Dispatchers.Default) {
    withTimeout(3.minutes) { coroutineScope { block() } }
}

internal fun bytes(text: String) = text.encodeToByteArray()

internal suspend fun MessageSocket.closeAll(vararg others: MessageSocket) {
    close()
    others.forEach { it.close() }
}

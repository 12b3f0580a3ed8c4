package dev.carom.pool.net

import dev.carom.pool.Backend
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.test.Enabled
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.SocketAddress
import java.net.StandardProtocolFamily
import java.net.StandardSocketOptions
import java.net.UnixDomainSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.deleteExisting
import kotlin.io.path.deleteIfExists
import kotlin.io.path.div
import kotlin.time.Duration.Companion.seconds

/**
 * A listener on this machine. The system completes connects up to the backlog by itself, so that a test may connect first and
 * [accept] after, on one thread.
 */
class Loopback private constructor(
    private val server: ServerSocketChannel,
    val backend: Backend,
    private val path: Path?,
) : AutoCloseable {
    private val held = mutableListOf<SocketChannel>()

    fun accept(): SocketChannel = server.accept().also { held += it }

    val address: SocketAddress get() = server.localAddress

    /** Connections that are waiting to be accepted now. */
    fun acceptAll(): List<SocketChannel> {
        server.configureBlocking(false)
        return generateSequence { server.accept() }.toList().onEach {
            it.configureBlocking(true)
            held += it
        }
    }

    /** Fills the backlog: what connects afterwards gets no answer. */
    fun fill() {
        repeat(BACKLOG + 3) {
            val filler = SocketChannel.open().also { held += it }
            filler.configureBlocking(false)
            filler.connect(server.localAddress)
        }
    }

    override fun close() {
        held.forEach { it.close() }
        server.close()
        path?.deleteIfExists()
        path?.parent?.deleteExisting()
    }

    companion object {
        const val BACKLOG = 1
        private const val MANY = 1_024

        fun tcp(backlog: Int = MANY, host: String = "127.0.0.1"): Loopback {
            val server = ServerSocketChannel.open()
            server.bind(InetSocketAddress(InetAddress.getByName(host), 0), backlog)
            val port = (server.localAddress as InetSocketAddress).port
            return Loopback(server, Backend("peer", host, port), null)
        }

        /** Whether this machine has a loopback address of that kind: some containers have none. */
        fun ipv6(): Enabled = try {
            tcp(host = "::1").close()
            Enabled.enabled
        } catch (_: IOException) {
            Enabled.disabled("this machine has no ::1")
        }

        fun unix(): Loopback {
            val path = Files.createTempDirectory("carom") / "peer.sock"
            val server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
            server.bind(UnixDomainSocketAddress.of(path) as SocketAddress)
            return Loopback(server, Backend("peer", path.toString(), 0), path)
        }
    }
}

fun SocketChannel.reset() {
    setOption(StandardSocketOptions.SO_LINGER, 0)
    close()
}

/** Reads [size] bytes and sends them back. */
fun SocketChannel.echo(size: Int) {
    val buffer = ByteBuffer.allocate(size)
    while (buffer.hasRemaining()) check(read(buffer) >= 0) { "closed after ${buffer.position()} of $size bytes" }
    buffer.flip()
    while (buffer.hasRemaining()) write(buffer)
}

// By the beginning of its name: with assertions on, coroutines add theirs while they run.
fun selectorThreads(): List<Thread> =
    Thread.getAllStackTraces().keys.filter { it.name.startsWith("carom-net-selector") && it.isAlive }

/** Open descriptors of this process that are no files: sockets and selectors. */
fun descriptors(): Int = (java.io.File("/proc/self/fd").listFiles() ?: emptyArray()).count {
    val target = runCatching { Files.readSymbolicLink(it.toPath()).toString() }.getOrDefault("")
    target.startsWith("socket:") || target.startsWith("anon_inode:")
}

/** Runs [block] and asserts that it leaves no selector thread and no descriptor. */
suspend fun leavingNothing(block: suspend () -> Unit) {
    // Those of a test before, which did not wait for them.
    eventually(30.seconds) { selectorThreads().shouldBeEmpty() }
    // The JDK keeps a pair of sockets for itself from the first connection on.
    Loopback.tcp().use { server -> SocketChannel.open().use { it.connect(server.address) } }
    val before = descriptors()
    block()
    eventually(30.seconds) {
        selectorThreads().shouldBeEmpty()
        descriptors() shouldBeLessThanOrEqual before
    }
}

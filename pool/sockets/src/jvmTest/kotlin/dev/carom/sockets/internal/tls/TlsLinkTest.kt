package dev.carom.sockets.internal.tls

import dev.carom.pool.net.TlsEngine
import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import dev.carom.pool.testkit.TestCertificates
import dev.carom.sockets.transport.End
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.bounded
import dev.carom.sockets.transport.say
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.selects.select
import java.io.ByteArrayOutputStream

/** A link of bytes that arrive when the test says so. */
private class Wire : Link {
    val written = Channel<ByteArray>(Channel.UNLIMITED)
    private val paused = MutableStateFlow(false)
    val finished = CompletableDeferred<Unit>()
    val closed = CompletableDeferred<Unit>()

    /** What happens elsewhere just before it does what it was told. */
    var meanwhile: () -> Unit = {}

    override val remote: String get() = "the other end"
    override val unwritten: Int get() = 0

    override fun write(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean {
        written.trySend(head.copyOf(headSize) + body.copyOfRange(from, to))
        return true
    }

    override fun flush() = Unit

    override fun pause() {
        happens()
        paused.value = true
    }

    override fun resume() {
        happens()
        paused.value = false
    }

    private fun happens() = meanwhile.also { meanwhile = {} }()

    override fun finish() {
        finished.complete(Unit)
    }

    override fun close() {
        closed.complete(Unit)
    }

    val isReading: Boolean get() = !paused.value

    suspend fun awaitReading() {
        paused.first { !it }
    }

    /** All that is on its way. */
    fun drain(): ByteArray = ByteArrayOutputStream().apply {
        while (true) writeBytes(written.tryReceive().getOrNull() ?: break)
    }.toByteArray()
}

/** Reads one record, and pauses. */
private class Reluctant(private val end: End) : LinkHandler by end {
    private lateinit var link: Link

    override fun onOpen(link: Link) {
        this.link = link
        end.onOpen(link)
    }

    override fun onBytes(bytes: ByteArray, from: Int, to: Int) {
        // First: who hears of it may resume at once.
        link.pause()
        end.onBytes(bytes, from, to)
    }
}

private class World(policy: TlsPolicy) {
    private val tls = TlsEngine(policy)
    private val ours = Wire()
    private val theirs = Wire()
    private val writer = End()
    val here = TlsLink { tls.clientEngine("localhost", 1) }
    val there = TlsLink { tls.serverEngine() }
    val reader = End()

    suspend fun shakeHands() = bounded {
        here.heardBy(writer)
        there.heardBy(Reluctant(reader))
        here.onOpen(ours)
        there.onOpen(theirs)
        while (!reader.open.isCompleted) {
            select {
                ours.written.onReceive {
                    theirs.awaitReading()
                    there.onBytes(it, 0, it.size)
                }
                theirs.written.onReceive {
                    ours.awaitReading()
                    here.onBytes(it, 0, it.size)
                }
                reader.open.onAwait {}
            }
        }
    }

    /** All that is on its way to the reader but the last [missing] bytes arrives at once, and then the end. */
    fun arrives(missing: Int = 0) {
        val bytes = ours.drain()
        there.onBytes(bytes, 0, bytes.size - missing)
        there.onEnd()
    }

    /** The link to the reader has closed; why, as the reader is told. */
    suspend fun cause(): String? {
        there.onClosed(null)
        return reader.closed.await()?.message
    }

    /** The writer says its end. */
    suspend fun finish() {
        here.finish()
        bounded { ours.finished.await() }
    }

    val isClosedBelow: Boolean get() = theirs.closed.isCompleted

    suspend fun closedBelow() = bounded { theirs.closed.await() }

    /** Not at once: another thread may be at work on the link, and do this as well. */
    suspend fun hears(text: String) = reader.until { reader.bytes().decodeToString() == text }
}

class TlsLinkTest :
    FunSpec({
        val authority = TestCertificates("authority")
        val identity = authority.issue("localhost")
        val policy = TlsPolicy(
            trust = TlsTrust.certificates(listOf(authority.certificate)),
            key = TlsKey.of(identity.chain, identity.privateKey),
        )

        /** A link, of which nothing is needed but that it passes on who wants to read. */
        fun overWire(): Pair<TlsLink, Wire> {
            val wire = Wire()
            return TlsLink { error("nobody connects") }.also { it.over(wire) } to wire
        }

        test("who pauses while another resumes is not passed over") {
            val (link, wire) = overWire()
            link.pause()
            wire.meanwhile = link::pause
            link.resume()
            wire.isReading shouldBe false
            link.resume()
            wire.isReading shouldBe true
        }

        test("who resumes while another pauses is not passed over") {
            val (link, wire) = overWire()
            val resuming = Thread(link::resume)
            wire.meanwhile = {
                resuming.start()
                while (resuming.state !in setOf(Thread.State.BLOCKED, Thread.State.TERMINATED)) Thread.yield()
            }
            link.pause()
            resuming.join()
            wire.isReading shouldBe true
        }

        for (said in listOf(true, false)) {
            val how = if (said) "with close_notify" else "without a word"
            test("an end $how that comes while the reader pauses waits for what came before") {
                val world = World(policy)
                world.shakeHands()
                for (word in listOf("one ", "two ", "three")) world.here.say(word)
                if (said) world.finish()
                world.arrives()
                world.hears("one ")
                world.isClosedBelow shouldBe false
                world.there.resume()
                world.hears("one two ")
                world.isClosedBelow shouldBe false
                world.there.resume()
                world.hears("one two three")
                world.there.resume()
                bounded { world.reader.ended.await() }
                if (said) world.isClosedBelow shouldBe false else world.closedBelow()
                world.cause() shouldBe if (said) null else "the other end ended the connection without close_notify"
            }
        }

        test("an end within a record is no end, but a failure; what came before is heard") {
            val world = World(policy)
            world.shakeHands()
            for (word in listOf("one ", "two")) world.here.say(word)
            world.arrives(missing = 1)
            // And paused then: what resumes before would be undone by that.
            world.hears("one ")
            world.there.resume()
            world.closedBelow()
            world.hears("one ")
            world.reader.ended.isCompleted shouldBe false
            world.cause() shouldBe "the other end ended the connection within a record and without close_notify"
        }
    })

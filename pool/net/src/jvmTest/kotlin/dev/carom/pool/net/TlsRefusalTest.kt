package dev.carom.pool.net

import dev.carom.pool.testkit.TestCertificates
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.ktor.utils.io.ByteChannel
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.InternalAPI
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.isActive
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlinx.io.Buffer
import java.io.IOException
import kotlin.time.Duration.Companion.seconds

/** A server that refuses the client's certificate while the client is still sending its last flight. */
@OptIn(InternalAPI::class)
class TlsRefusalTest :
    FunSpec({
        val authority = TestCertificates("Shop CA")
        val name = "db1.shop.test"
        val server = authority.issue(name)
        val forged = TestCertificates("Shop CA").issue("client")
        val versions = listOf("TLSv1.3", "TLSv1.2")

        fun policy(version: String, key: TlsKey?, clientAuth: TlsClientAuth = TlsClientAuth.NONE) = TlsPolicy(
            TlsTrust.certificates(listOf(authority.certificate)),
            key,
            listOf(version),
            clientAuth = clientAuth,
            handshakeTimeout = 60.seconds,
            refusalTimeout = 60.seconds,
        )

        /** Connects in [sessions] where flushes end in [broken] from the one that the server refuses. */
        suspend fun refused(version: String, sessions: CoroutineScope, broken: IOException?): TlsException {
            val there = ByteChannel()
            val back = ByteChannel()
            val over = CompletableDeferred<Unit>()
            val heard = Heard(there, if (version == "TLSv1.3") SEALED else HANDSHAKE, over, broken)
            val serving = CoroutineScope(Dispatchers.Default + Job())
            serving.launch {
                val keyed = policy(version, TlsKey.of(server.chain, server.privateKey), TlsClientAuth.NEED)
                val failure = runCatching { TlsEngine(keyed).accept(this, there, back) }
                back.flushAndClose()
                over.complete(Unit)
                check(failure.exceptionOrNull() is TlsException) { "served: $failure" }
            }
            return try {
                val client = TlsEngine(policy(version, TlsKey.of(forged.chain, forged.privateKey)))
                withTimeout(120.seconds) {
                    shouldThrow<TlsException> { client.connect(sessions, back, heard, name, 1) }
                }
            } finally {
                serving.coroutineContext.job.cancelAndJoin()
            }
        }

        for (version in versions) {
            test("$version: is known for what it is, though the rest can not be sent") {
                val sessions = CoroutineScope(Dispatchers.Default + Job())
                refused(version, sessions, IOException("Broken pipe"))
                    .shouldBeInstanceOf<TlsException.ClientCertificateRefused>()
                sessions.coroutineContext.job.cancelAndJoin()
            }
        }

        test("TLSv1.3: that has come before the session begins fails this session, and nothing else") {
            // Unconfined: the session reads as soon as it is made.
            val sessions = CoroutineScope(Dispatchers.Unconfined + Job())
            refused("TLSv1.3", sessions, null).shouldBeInstanceOf<TlsException.ClientCertificateRefused>()
            sessions.isActive shouldBe true
            sessions.coroutineContext.job.cancelAndJoin()
        }

        test("a failure to send that the peer does not explain is what is told") {
            val back = ByteChannel()
            val over = CompletableDeferred(Unit)
            back.flushAndClose()
            val sessions = CoroutineScope(Dispatchers.Default + Job())
            val broken = IOException("Broken pipe")
            val failure = shouldThrow<TlsException.Handshake> {
                val deaf = Heard(ByteChannel(), HANDSHAKE, over, broken, hello = false)
                TlsEngine(policy("TLSv1.2", null)).connect(sessions, back, deaf, name, 1)
            }
            failure.message shouldContain "the connection broke: Broken pipe"
            sessions.coroutineContext.job.cancelAndJoin()
        }
    }) {
    /** Flushes; from the certificate on, whose record has [type], each time the peer's end is waited for, then [broken]. */
    private class Heard(
        private val bytes: ByteChannel,
        private val type: Byte,
        private val over: CompletableDeferred<Unit>,
        private val broken: IOException?,
        private var hello: Boolean = true,
    ) : ByteWriteChannel by bytes {
        private var told = false

        override suspend fun flush() {
            val first = (bytes.writeBuffer as Buffer).let { if (it.size > 0) it[0] else null }
            if (!hello && first == type) told = true
            hello = false
            bytes.flush()
            if (!told) return
            over.await()
            broken?.let { throw it }
        }
    }

    private companion object {
        const val HANDSHAKE: Byte = 22
        const val SEALED: Byte = 23
    }
}

package dev.carom.pool.net

import dev.carom.pool.net.internal.TlsFailures
import dev.carom.pool.net.internal.TlsMaterials
import dev.carom.pool.net.internal.TlsRecords
import dev.carom.pool.net.internal.TlsWitness
import dev.carom.pool.net.internal.literalOrNull
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.net.UnknownHostException
import java.security.cert.X509Certificate
import javax.net.ssl.SNIHostName
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLPeerUnverifiedException

/**
 * Speaks TLS 1.3 and 1.2 over any pair of channels, as client or server, with the JDK's `SSLEngine`. One engine serves any
 * number of streams: it keeps the key and trust material of one [policy], read again from disk as the policy says, and
 * sessions for resumption (256 at most, for an hour). Holds no thread, nothing to close.
 *
 * Handshakes compute on `Dispatchers.IO`, and not on the caller's thread.
 *
 * @property policy the policy it was made with.
 */
public class TlsEngine(public val policy: TlsPolicy) {
    private val witness = TlsWitness()
    private val materials = TlsMaterials(policy, witness)

    /**
     * The client's side of a handshake over [input] and [output].
     *
     * *Cancelled*, or failed, it leaves the channels as they are, to be closed by the caller: there is nothing to be read
     * from them in plain.
     *
     * @param scope where the session's coroutines run.
     * @param peer the name the server must prove, a host name or an IP address; also what it is told (SNI, RFC 6066, section
     *   3), if it is a host name.
     * @param port of the server: sessions are resumed only with the same name and port. 0..65535.
     * @throws TlsException why there is no session.
     */
    public suspend fun connect(
        scope: CoroutineScope,
        input: ByteReadChannel,
        output: ByteWriteChannel,
        peer: String,
        port: Int,
    ): TlsStream {
        val engine = clientEngine(peer, port)
        return open(scope, engine, input, output, engine.peerHost, server = false)
    }

    /**
     * The JDK's engine for the client's side, for who moves its bytes without channels. It is checked as with [connect]; who
     * uses it bounds the handshake in time, and hears of failures in the JDK's words.
     *
     * @param peer the name the server must prove.
     * @param port of the server. 0..65535.
     * @throws TlsException.Material if the key or trust material can not be read.
     */
    public suspend fun clientEngine(peer: String, port: Int): SSLEngine {
        val name = peer.removeSuffix(".").removeSurrounding("[", "]")
        val engine = materials.context().createSSLEngine(name, port)
        engine.useClientMode = true
        val parameters = parameters(engine)
        parameters.endpointIdentificationAlgorithm = if (policy.verifyHost) "HTTPS" else null
        parameters.serverNames = listOfNotNull(hostName(name))
        engine.sslParameters = parameters
        return engine
    }

    /**
     * The server's side of a handshake over [input] and [output]. *Cancelled*, or failed: as [connect].
     *
     * @param scope where the session's coroutines run.
     * @throws TlsException why there is no session.
     * @throws IllegalStateException if the policy has no key.
     */
    public suspend fun accept(scope: CoroutineScope, input: ByteReadChannel, output: ByteWriteChannel): TlsStream {
        val engine = serverEngine()
        return open(scope, engine, input, output, "the client", server = true)
    }

    /**
     * The JDK's engine for the server's side; otherwise as [clientEngine].
     *
     * @throws TlsException.Material if the key or trust material can not be read.
     * @throws IllegalStateException if the policy has no key.
     */
    public suspend fun serverEngine(): SSLEngine {
        checkNotNull(policy.key) { "a TLS server needs a key: $policy" }
        val engine = materials.context().createSSLEngine()
        engine.useClientMode = false
        val parameters = parameters(engine)
        when (policy.clientAuth) {
            TlsClientAuth.NONE -> Unit
            TlsClientAuth.WANT -> parameters.wantClientAuth = true
            TlsClientAuth.NEED -> parameters.needClientAuth = true
        }
        engine.sslParameters = parameters
        return engine
    }

    private fun parameters(engine: SSLEngine): SSLParameters = engine.sslParameters.also {
        it.protocols = policy.protocols.toTypedArray()
        it.applicationProtocols = policy.alpn.toTypedArray()
    }

    private suspend fun open(
        scope: CoroutineScope,
        engine: SSLEngine,
        input: ByteReadChannel,
        output: ByteWriteChannel,
        peer: String,
        server: Boolean,
    ): TlsStream {
        val account = witness.open(engine)
        val failures = TlsFailures(account, peer, server)
        val records = TlsRecords(engine, input, output)
        var stream: TlsStream? = null
        var told = false
        try {
            val done = withTimeoutOrNull(policy.handshakeTimeout) {
                records.handshake()
                true
            }
            if (done == null) throw TlsException.TimedOut(policy)
            val opened = TlsStream(session(engine), scope, records, input, output, failures)
            stream = opened
            // In TLS 1.2 the server looks at the client's certificate before the handshake ends.
            if (!server && account.askedForCertificate && opened.session.protocol == "TLSv1.3") {
                withTimeoutOrNull(policy.refusalTimeout) { opened.awaitHeard() }
            }
            told = true
            return opened
        } catch (e: IOException) {
            if (stream == null) sayWhy(records)
            throw failures.during(e)
        } catch (e: CancellationException) {
            currentCoroutineContext().ensureActive()
            // Not the caller's: the channels were cancelled under the handshake.
            throw failures.during(IOException("the channels were closed", e))
        } finally {
            witness.forget(engine)
            if (!told) stream?.abort()
        }
    }

    /** Sends the alert of a failed handshake, as far as it can be sent. */
    private suspend fun sayWhy(records: TlsRecords) {
        try {
            withTimeoutOrNull(policy.handshakeTimeout) { records.sendEnd() }
        } catch (_: IOException) {
            // The peer is gone, and was not waiting for it.
        }
    }

    private fun session(engine: SSLEngine): TlsSession {
        val session = engine.session
        val certificates = try {
            session.peerCertificates.filterIsInstance<X509Certificate>()
        } catch (_: SSLPeerUnverifiedException) {
            emptyList()
        }
        val alpn = engine.applicationProtocol?.takeIf { it.isNotEmpty() }
        return TlsSession(session.protocol, session.cipherSuite, alpn, certificates)
    }

    /** Null for what may not be sent as a server's name: addresses, and what no host name may look like. */
    private fun hostName(name: String): SNIHostName? = try {
        if (literalOrNull(name) == null) SNIHostName(name) else null
    } catch (_: IllegalArgumentException) {
        null
    } catch (_: UnknownHostException) {
        null
    }
}

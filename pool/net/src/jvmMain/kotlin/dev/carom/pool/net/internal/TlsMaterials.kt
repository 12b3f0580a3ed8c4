package dev.carom.pool.net.internal

import dev.carom.pool.net.TlsException
import dev.carom.pool.net.TlsKey
import dev.carom.pool.net.TlsPolicy
import dev.carom.pool.net.TlsTrust
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.io.IOException
import java.nio.file.Path
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.MessageDigest
import java.security.PrivateKey
import java.security.cert.X509Certificate
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509ExtendedKeyManager
import javax.net.ssl.X509ExtendedTrustManager
import kotlin.concurrent.Volatile
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/**
 * The key and trust material of one policy, as a context for handshakes. Files are looked at again when a handshake begins
 * and [TlsPolicy.reloadInterval] has passed; what they say is used as a whole or not at all.
 */
internal class TlsMaterials(
    private val policy: TlsPolicy,
    private val witness: TlsWitness,
    private val clock: TimeSource = TimeSource.Monotonic,
) {
    private class Loaded(val context: SSLContext, var digests: List<List<Byte>>, @Volatile var looked: TimeMark)

    private val loading = Mutex()
    private val watched: List<Path> = watched(policy)
    private val name = "trust ${policy.trust}" + (policy.key?.let { ", key $it" } ?: "")

    @Volatile
    private var current: Loaded? = null

    /** The context for a handshake that begins now. @throws TlsException.Material if none could ever be read. */
    suspend fun context(): SSLContext {
        val loaded = current ?: return loading.withLock { current ?: first() }.context
        if (watched.isNotEmpty() && loaded.looked.elapsedNow() >= policy.reloadInterval && loading.tryLock()) {
            // The others go on with what there is meanwhile.
            try {
                look(loaded)
            } finally {
                loading.unlock()
            }
        }
        return (current ?: loaded).context
    }

    private suspend fun first(): Loaded = try {
        runInterruptible(Dispatchers.IO) { load(watched.map(::bounded)) }.also { current = it }
    } catch (e: IOException) {
        throw TlsException.Material(name, e)
    } catch (e: GeneralSecurityException) {
        throw TlsException.Material(name, e)
    }

    private suspend fun look(loaded: Loaded) {
        loaded.looked = clock.markNow()
        val failure = try {
            val changed = runInterruptible(Dispatchers.IO) { reload(loaded) } ?: return
            current = changed
            return policy.listener.reloaded(name)
        } catch (e: IOException) {
            e
        } catch (e: GeneralSecurityException) {
            e
        }
        policy.listener.reloadFailed(name, failure)
    }

    private fun reload(loaded: Loaded): Loaded? {
        val contents = watched.map(::bounded)
        val digests = contents.map(::digest)
        if (digests == loaded.digests) return null
        // A file that is no better than last time is not reported, nor parsed, once more.
        loaded.digests = digests
        return load(contents)
    }

    private fun load(contents: List<ByteArray>): Loaded {
        val files = watched.zip(contents).toMap()
        val context = try {
            SSLContext.getInstance("TLS").apply {
                init(arrayOf(witness.watch(keyManager(files))), arrayOf(witness.watch(trustManager(files))), null)
                clientSessionContext.bound()
                serverSessionContext.bound()
            }
        } catch (e: IllegalArgumentException) {
            // Base64 and DER that are none.
            throw GeneralSecurityException(e)
        }
        return Loaded(context, contents.map(::digest), clock.markNow())
    }

    private fun javax.net.ssl.SSLSessionContext.bound() {
        sessionCacheSize = MAX_SESSIONS
        sessionTimeout = SESSION_SECONDS
    }

    private fun keyManager(files: Map<Path, ByteArray>): X509ExtendedKeyManager? {
        val (key, chain) = keyAndChain(files) ?: return null
        checkPair(key, chain.first())
        val store = KeyStore.getInstance("PKCS12").apply {
            load(null, null)
            setKeyEntry("key", key, CharArray(0), chain.toTypedArray())
        }
        val factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm())
        factory.init(store, CharArray(0))
        return factory.keyManagers.filterIsInstance<X509ExtendedKeyManager>().single()
    }

    private fun keyAndChain(files: Map<Path, ByteArray>): Pair<PrivateKey, List<X509Certificate>>? =
        when (val source = policy.key?.source) {
            null -> null

            is TlsKey.Source.Given -> source.key to source.chain

            is TlsKey.Source.Pkcs12 -> keyAndChain(files.getValue(source.file), source.file, source.password)

            is TlsKey.Source.Pem -> {
                val chain = certificates(files.getValue(source.certificates), source.certificates)
                val key = files.getValue(source.key)
                privateKey(key, source.key, source.password, chain.first().publicKey) to chain
            }
        }

    private fun trustManager(files: Map<Path, ByteArray>): X509ExtendedTrustManager {
        val trusted = when (val source = policy.trust.source) {
            TlsTrust.Source.System -> null
            is TlsTrust.Source.Given -> source.certificates
            is TlsTrust.Source.Pem -> certificates(files.getValue(source.file), source.file)
            is TlsTrust.Source.Pkcs12 -> certificates(files.getValue(source.file), source.file, source.password)
        }
        val store = trusted?.let {
            KeyStore.getInstance("PKCS12").apply {
                load(null, null)
                it.forEachIndexed { i, certificate -> setCertificateEntry("trusted$i", certificate) }
            }
        }
        val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
        factory.init(store)
        return factory.trustManagers.filterIsInstance<X509ExtendedTrustManager>().single()
    }

    private companion object {
        // Sessions are kept for resumption, here and, in tickets, at the peer: a bound for both.
        const val MAX_SESSIONS = 256
        const val SESSION_SECONDS = 3_600

        fun digest(bytes: ByteArray): List<Byte> = MessageDigest.getInstance("SHA-256").digest(bytes).toList()

        fun watched(policy: TlsPolicy): List<Path> = buildList {
            when (val source = policy.trust.source) {
                is TlsTrust.Source.Pem -> add(source.file)
                is TlsTrust.Source.Pkcs12 -> add(source.file)
                is TlsTrust.Source.Given, TlsTrust.Source.System -> Unit
            }
            when (val source = policy.key?.source) {
                is TlsKey.Source.Pem -> addAll(listOf(source.certificates, source.key))
                is TlsKey.Source.Pkcs12 -> add(source.file)
                is TlsKey.Source.Given, null -> Unit
            }
        }.distinct()
    }
}

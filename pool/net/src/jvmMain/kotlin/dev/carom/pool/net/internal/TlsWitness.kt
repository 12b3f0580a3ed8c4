package dev.carom.pool.net.internal

import java.net.Socket
import java.security.Principal
import java.security.PrivateKey
import java.security.cert.CertificateException
import java.security.cert.X509Certificate
import java.util.concurrent.ConcurrentHashMap
import javax.net.ssl.SSLEngine
import javax.net.ssl.X509ExtendedKeyManager
import javax.net.ssl.X509ExtendedTrustManager

/** What happened in one handshake that the engine does not tell. */
internal class TlsAccount {
    /** The server asked the client for a certificate. */
    @Volatile
    var askedForCertificate = false

    /** And the client had one to send. */
    @Volatile
    var sentCertificate = false

    /** What was wrong with the peer's certificate. */
    @Volatile
    var refusal: CertificateException? = null

    /** The names it is for, if only these were wrong. */
    @Volatile
    var otherNames: List<String>? = null
}

/** Stands between the engines and the key and trust managers, to know why a handshake failed. Weakens nothing. */
internal class TlsWitness {
    private val accounts = ConcurrentHashMap<SSLEngine, TlsAccount>()

    /** The account of [engine], kept until [forget]. */
    fun open(engine: SSLEngine): TlsAccount = TlsAccount().also { accounts[engine] = it }

    fun forget(engine: SSLEngine) {
        accounts.remove(engine)
    }

    fun watch(keys: X509ExtendedKeyManager?): X509ExtendedKeyManager = WatchedKeys(keys)

    fun watch(trust: X509ExtendedTrustManager): X509ExtendedTrustManager = WatchedTrust(trust)

    private inner class WatchedKeys(private val keys: X509ExtendedKeyManager?) : X509ExtendedKeyManager() {
        override fun chooseEngineClientAlias(
            keyType: Array<String>?,
            issuers: Array<Principal>?,
            engine: SSLEngine?,
        ): String? {
            val alias = keys?.chooseEngineClientAlias(keyType, issuers, engine)
            accounts[engine ?: return alias]?.let {
                it.askedForCertificate = true
                if (alias != null) it.sentCertificate = true
            }
            return alias
        }

        override fun chooseEngineServerAlias(
            keyType: String?,
            issuers: Array<Principal>?,
            engine: SSLEngine?,
        ): String? = keys?.chooseEngineServerAlias(keyType, issuers, engine)

        override fun getClientAliases(keyType: String?, issuers: Array<Principal>?): Array<String>? =
            keys?.getClientAliases(keyType, issuers)

        override fun chooseClientAlias(
            keyType: Array<String>?,
            issuers: Array<Principal>?,
            socket: Socket?,
        ): String? = keys?.chooseClientAlias(keyType, issuers, socket)

        override fun getServerAliases(keyType: String?, issuers: Array<Principal>?): Array<String>? =
            keys?.getServerAliases(keyType, issuers)

        override fun chooseServerAlias(keyType: String?, issuers: Array<Principal>?, socket: Socket?): String? =
            keys?.chooseServerAlias(keyType, issuers, socket)

        override fun getCertificateChain(alias: String?): Array<X509Certificate>? = keys?.getCertificateChain(alias)

        override fun getPrivateKey(alias: String?): PrivateKey? = keys?.getPrivateKey(alias)
    }

    private inner class WatchedTrust(private val trust: X509ExtendedTrustManager) : X509ExtendedTrustManager() {
        override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) = noting(
            engine,
            { trust.checkServerTrusted(chain, authType, engine) },
        ) {
            // The JDK's own class for a wrong name, and all is well when nobody asks for the name: it is the name.
            if (it.javaClass == CertificateException::class.java &&
                passes { trust.checkServerTrusted(chain, authType) }
            ) {
                names(chain.first())
            } else {
                null
            }
        }

        override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) =
            noting(engine, { trust.checkClientTrusted(chain, authType, engine) }) { null }

        override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket?) =
            trust.checkServerTrusted(chain, authType, socket)

        override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket?) =
            trust.checkClientTrusted(chain, authType, socket)

        override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) =
            trust.checkServerTrusted(chain, authType)

        override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String) =
            trust.checkClientTrusted(chain, authType)

        override fun getAcceptedIssuers(): Array<X509Certificate> = trust.acceptedIssuers

        private fun noting(engine: SSLEngine, check: () -> Unit, otherNames: (CertificateException) -> List<String>?) {
            try {
                check()
            } catch (e: CertificateException) {
                accounts[engine]?.let {
                    it.refusal = e
                    it.otherNames = otherNames(e)
                }
                throw e
            }
        }

        private fun passes(check: () -> Unit): Boolean = try {
            check()
            true
        } catch (_: CertificateException) {
            false
        }
    }
}

private const val MAX_NAMES = 16
private const val DNS = 2
private const val IP = 7

private fun names(certificate: X509Certificate): List<String> {
    val alternatives = try {
        certificate.subjectAlternativeNames.orEmpty()
    } catch (_: CertificateException) {
        emptyList()
    }
    val names = alternatives.filter { it[0] == DNS || it[0] == IP }.map { it[1].toString() }
    return names.ifEmpty { listOf(certificate.subjectX500Principal.name) }.take(MAX_NAMES).map(::printable)
}

private const val MAX_TEXT = 256

/** Text from a peer, fit for a log line. */
internal fun printable(text: String): String =
    text.take(MAX_TEXT).map { if (it.code in ' '.code..'~'.code) it else '?' }.joinToString("")

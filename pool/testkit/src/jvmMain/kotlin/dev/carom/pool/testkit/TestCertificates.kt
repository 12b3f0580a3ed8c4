package dev.carom.pool.testkit

import java.math.BigInteger
import java.nio.file.Files
import java.nio.file.Path
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.Signature
import java.security.cert.X509Certificate
import java.security.spec.ECGenParameterSpec
import java.time.Duration
import java.time.Instant
import java.util.Base64
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory

/**
 * A certificate authority for tests: issues certificates for any name, in memory, with the JDK alone. Nobody else trusts
 * it.
 *
 * ```
 * val authority = TestCertificates("test CA")
 * val server = authority.issue("db1.shop.test", "127.0.0.1")
 * server.writePem(certificates, key)
 * ```
 */
public class TestCertificates(name: String) {
    private val keys: KeyPair = keyPair("EC")

    /** The authority's own certificate: what peers must trust. */
    public val certificate: X509Certificate =
        CertificateDraft(name, name, keys.public, emptyList(), true, yearAround()).sign(keys.private)

    /** A certificate with an EC key for [names], valid for a year around now. The first name is the subject's, too. */
    public fun issue(vararg names: String): TestIdentity = issue("EC", names.toList(), yearAround())

    /** [issue] with an [algorithm] for the key: `EC` (P-256), `RSA` (2048 bits) or `Ed25519`. */
    public fun issueWith(algorithm: String, vararg names: String): TestIdentity =
        issue(algorithm, names.toList(), yearAround())

    /** [issue], but the certificate has expired a day ago. */
    public fun issueExpired(vararg names: String): TestIdentity {
        val now = Instant.now()
        return issue("EC", names.toList(), now - Duration.ofDays(DAYS) to now - Duration.ofDays(1))
    }

    /** Writes [certificate] as PEM. */
    public fun writePem(file: Path) {
        Files.writeString(file, pem("CERTIFICATE", certificate.encoded))
    }

    private fun issue(algorithm: String, names: List<String>, validity: Pair<Instant, Instant>): TestIdentity {
        require(names.isNotEmpty()) { "a certificate needs at least one name" }
        val own = keyPair(algorithm)
        val issuer = certificate.subjectX500Principal.name.removePrefix("CN=")
        val issued = CertificateDraft(issuer, names.first(), own.public, names, false, validity).sign(keys.private)
        return TestIdentity(listOf(issued, certificate), own.private)
    }

    private companion object {
        const val DAYS = 180L
        const val RSA_BITS = 2_048

        fun yearAround(): Pair<Instant, Instant> =
            Instant.now().let { it - Duration.ofDays(DAYS) to it + Duration.ofDays(DAYS) }

        fun keyPair(algorithm: String): KeyPair = KeyPairGenerator.getInstance(algorithm).run {
            when (algorithm) {
                "EC" -> initialize(ECGenParameterSpec("secp256r1"))
                "RSA" -> initialize(RSA_BITS)
            }
            generateKeyPair()
        }
    }
}

/**
 * A certificate, the chain above it, and its private key.
 *
 * @property chain the certificate first, the authority's last.
 */
public class TestIdentity internal constructor(
    public val chain: List<X509Certificate>,
    public val privateKey: PrivateKey,
) {
    /** Writes the chain, and the key in PKCS #8, as PEM; each file is replaced at once. */
    public fun writePem(certificates: Path, key: Path) {
        replace(certificates, chain.joinToString("") { pem("CERTIFICATE", it.encoded) }.encodeToByteArray())
        replace(key, pem("PRIVATE KEY", privateKey.encoded).encodeToByteArray())
    }

    /** Writes both into one PKCS #12 file under [password]; the file is replaced at once. */
    public fun writePkcs12(file: Path, password: String) {
        val bytes = java.io.ByteArrayOutputStream()
        keyStore(password).store(bytes, password.toCharArray())
        replace(file, bytes.toByteArray())
    }

    /** A TLS context of the JDK with this identity, for a real peer; trusts [trusted], or nobody. */
    public fun sslContext(vararg trusted: X509Certificate): SSLContext {
        val keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm())
        keys.init(keyStore("test"), "test".toCharArray())
        return SSLContext.getInstance("TLS").apply { init(keys.keyManagers, trusting(trusted), null) }
    }

    private fun keyStore(password: String): KeyStore = KeyStore.getInstance("PKCS12").apply {
        load(null, null)
        setKeyEntry("key", privateKey, password.toCharArray(), chain.toTypedArray())
    }

    private fun trusting(trusted: Array<out X509Certificate>) = TrustManagerFactory
        .getInstance(TrustManagerFactory.getDefaultAlgorithm())
        .apply {
            val store = KeyStore.getInstance("PKCS12").apply { load(null, null) }
            trusted.forEachIndexed { i, certificate -> store.setCertificateEntry("ca$i", certificate) }
            init(store)
        }.trustManagers.takeIf { trusted.isNotEmpty() }

    private fun replace(file: Path, bytes: ByteArray) {
        val next = Files.write(file.resolveSibling("${file.fileName}.next"), bytes)
        Files.move(next, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE)
    }
}

private fun pem(label: String, der: ByteArray): String {
    val base64 = Base64.getMimeEncoder(64, "\n".toByteArray()).encodeToString(der)
    return "-----BEGIN $label-----\n$base64\n-----END $label-----\n"
}

/** Serial numbers and signatures are what makes two drafts differ. */
internal fun serialNumber(): BigInteger = BigInteger(64, java.security.SecureRandom()).add(BigInteger.ONE)

internal fun signature(key: PrivateKey, bytes: ByteArray): ByteArray = Signature.getInstance("SHA256withECDSA").run {
    initSign(key)
    update(bytes)
    sign()
}

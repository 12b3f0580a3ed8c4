package dev.carom.pool.net.internal

import dev.carom.pool.Secret
import java.io.ByteArrayInputStream
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.KeyStore
import java.security.PrivateKey
import java.security.PublicKey
import java.security.Signature
import java.security.cert.CertificateFactory
import java.security.cert.X509Certificate
import java.security.spec.PKCS8EncodedKeySpec
import java.util.Base64
import javax.crypto.Cipher
import javax.crypto.EncryptedPrivateKeyInfo
import javax.crypto.SecretKeyFactory
import javax.crypto.spec.PBEKeySpec

internal const val MAX_FILE = 1_048_576

/** The bytes of [file]. @throws IOException if there are more than [MAX_FILE], or it cannot be read. */
internal fun bounded(file: Path): ByteArray = Files.newInputStream(file).use {
    val bytes = it.readNBytes(MAX_FILE + 1)
    if (bytes.size > MAX_FILE) throw IOException("$file has more than $MAX_FILE bytes")
    bytes
}

/** All certificates of a PEM text. */
internal fun certificates(pem: ByteArray, name: Path): List<X509Certificate> {
    val factory = CertificateFactory.getInstance("X.509")
    val found = blocks(pem).filter { (label, _) -> label == "CERTIFICATE" || label == "X509 CERTIFICATE" }
        .map { (_, der) -> factory.generateCertificate(ByteArrayInputStream(der)) as X509Certificate }
    if (found.isEmpty()) throw IOException("no certificate in $name")
    return found
}

/** The private key of a PEM text, for the public key [public]. */
internal fun privateKey(pem: ByteArray, name: Path, password: Secret?, public: PublicKey): PrivateKey {
    val keys = blocks(pem).filter { (label, _) -> label.endsWith("PRIVATE KEY") }
    val (label, der) = keys.singleOrNull() ?: throw IOException("${keys.size} private keys in $name, one is needed")
    val spec = when (label) {
        "PRIVATE KEY" -> PKCS8EncodedKeySpec(der)

        "ENCRYPTED PRIVATE KEY" ->
            decrypted(der, password ?: throw IOException("the private key in $name needs a password"))

        else -> throw IOException("$name has a \"$label\": only PKCS #8 is read, as openssl pkcs8 -topk8 writes it")
    }
    return KeyFactory.getInstance(public.algorithm).generatePrivate(spec)
}

private fun decrypted(der: ByteArray, password: Secret): PKCS8EncodedKeySpec {
    val sealed = EncryptedPrivateKeyInfo(der)
    // For PBES2 the parameters' name is that of the whole algorithm: PBEWithHmacSHA256AndAES_256.
    val algorithm = if (sealed.algName == "PBES2") sealed.algParameters.toString() else sealed.algName
    val key = password.use {
        val spec = PBEKeySpec(it)
        SecretKeyFactory.getInstance(algorithm).generateSecret(spec).also { spec.clearPassword() }
    }
    // Not getKeySpec(key): until JDK 19 it looks for a cipher that is called PBES2.
    val cipher = Cipher.getInstance(algorithm).apply { init(Cipher.DECRYPT_MODE, key, sealed.algParameters) }
    return sealed.getKeySpec(cipher)
}

/** The certificates of a PKCS #12 file. */
internal fun certificates(p12: ByteArray, name: Path, password: Secret?): List<X509Certificate> {
    val store = store(p12, password)
    val found = store.aliases().toList().flatMap { alias ->
        store.getCertificateChain(alias)?.toList() ?: listOfNotNull(store.getCertificate(alias))
    }
    if (found.isEmpty()) throw IOException("no certificate in $name")
    return found.filterIsInstance<X509Certificate>()
}

/** The one key of a PKCS #12 file, and its chain. */
internal fun keyAndChain(p12: ByteArray, name: Path, password: Secret): Pair<PrivateKey, List<X509Certificate>> {
    val store = store(p12, password)
    val aliases = store.aliases().toList().filter(store::isKeyEntry)
    val alias = aliases.singleOrNull() ?: throw IOException("${aliases.size} keys in $name, one is needed")
    val key = password.use { store.getKey(alias, it) } as PrivateKey
    return key to store.getCertificateChain(alias).map { it as X509Certificate }
}

private fun store(p12: ByteArray, password: Secret?): KeyStore = KeyStore.getInstance("PKCS12").apply {
    val bytes = ByteArrayInputStream(p12)
    if (password == null) load(bytes, null) else password.use { load(bytes, it) }
}

/** @throws GeneralSecurityException if [private] is not the key of [certificate]. */
internal fun checkPair(private: PrivateKey, certificate: X509Certificate) {
    val algorithm = when (val key = certificate.publicKey.algorithm) {
        "RSA" -> "SHA256withRSA"
        "EC" -> "SHA256withECDSA"
        else -> key
    }
    val probe = ByteArray(PROBE) { it.toByte() }
    val signature = Signature.getInstance(algorithm)
    signature.initSign(private)
    signature.update(probe)
    val signed = signature.sign()
    signature.initVerify(certificate.publicKey)
    signature.update(probe)
    if (!signature.verify(signed)) {
        throw GeneralSecurityException("the key is not the one of the certificate ${certificate.subjectX500Principal}")
    }
}

private const val PROBE = 32
private val BLOCK = Regex("-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \\1-----")

private fun blocks(pem: ByteArray): List<Pair<String, ByteArray>> = BLOCK
    .findAll(pem.toString(Charsets.ISO_8859_1))
    .map { it.groupValues[1] to Base64.getMimeDecoder().decode(it.groupValues[2]) }
    .toList()

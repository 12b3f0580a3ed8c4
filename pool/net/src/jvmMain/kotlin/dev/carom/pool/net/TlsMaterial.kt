package dev.carom.pool.net

import dev.carom.pool.Secret
import java.nio.file.Path
import java.security.PrivateKey
import java.security.cert.X509Certificate

/** Which authorities a peer's certificate may come from. Files are read when the first connection is made, then watched. */
public class TlsTrust internal constructor(internal val source: Source) {
    internal sealed interface Source {
        data object System : Source

        class Pem(val file: Path) : Source

        class Pkcs12(val file: Path, val password: Secret?) : Source

        class Given(val certificates: List<X509Certificate>) : Source
    }

    /** Where it comes from; no secrets. */
    override fun toString(): String = when (source) {
        Source.System -> "system"
        is Source.Pem -> "pem(${source.file})"
        is Source.Pkcs12 -> "pkcs12(${source.file})"
        is Source.Given -> "given(${source.certificates.size} certificates)"
    }

    public companion object {
        /** The JDK's own authorities, or those its system properties name. Not watched. */
        @JvmStatic
        public fun system(): TlsTrust = TlsTrust(Source.System)

        /** All certificates in a PEM [file] (RFC 7468) of at most 1 MiB. */
        @JvmStatic
        public fun pem(file: Path): TlsTrust = TlsTrust(Source.Pem(file))

        /** All certificates in a PKCS #12 [file] of at most 1 MiB, for which [password] is needed, or null. */
        @JvmStatic
        public fun pkcs12(file: Path, password: Secret?): TlsTrust = TlsTrust(Source.Pkcs12(file, password))

        /** These [certificates]. At least one. */
        @JvmStatic
        public fun certificates(certificates: List<X509Certificate>): TlsTrust {
            require(certificates.isNotEmpty()) { "certificates must not be empty" }
            return TlsTrust(Source.Given(certificates.toList()))
        }
    }
}

/** A certificate with its chain and private key. Files are read when the first connection is made, then watched. */
public class TlsKey internal constructor(internal val source: Source) {
    internal sealed interface Source {
        class Pem(val certificates: Path, val key: Path, val password: Secret?) : Source

        class Pkcs12(val file: Path, val password: Secret) : Source

        class Given(val chain: List<X509Certificate>, val key: PrivateKey) : Source
    }

    /** Where it comes from; no secrets. */
    override fun toString(): String = when (source) {
        is Source.Pem -> "pem(${source.certificates}, ${source.key})"
        is Source.Pkcs12 -> "pkcs12(${source.file})"
        is Source.Given -> "given(${source.chain.firstOrNull()?.subjectX500Principal})"
    }

    public companion object {
        /**
         * Two PEM files (RFC 7468) of at most 1 MiB each, or twice the same one: the chain, the own certificate first, and the
         * [key] in PKCS #8, plain (`PRIVATE KEY`) or under a [password] (`ENCRYPTED PRIVATE KEY`, PBES2); RSA, EC or EdDSA. While
         * only one of two files is replaced they do not belong together, and the former pair stays in use.
         */
        @JvmStatic
        public fun pem(certificates: Path, key: Path, password: Secret?): TlsKey =
            TlsKey(Source.Pem(certificates, key, password))

        /** [pem] with a plain key. */
        @JvmStatic
        public fun pem(certificates: Path, key: Path): TlsKey = pem(certificates, key, null)

        /** The one key, with its chain, in a PKCS #12 [file] of at most 1 MiB under [password]. */
        @JvmStatic
        public fun pkcs12(file: Path, password: Secret): TlsKey = TlsKey(Source.Pkcs12(file, password))

        /** This [key] for this [chain], the own certificate first. */
        @JvmStatic
        public fun of(chain: List<X509Certificate>, key: PrivateKey): TlsKey {
            require(chain.isNotEmpty()) { "chain must not be empty" }
            return TlsKey(Source.Given(chain.toList(), key))
        }
    }
}

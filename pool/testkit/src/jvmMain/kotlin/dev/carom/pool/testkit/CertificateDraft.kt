package dev.carom.pool.testkit

import java.io.ByteArrayInputStream
import java.math.BigInteger
import java.net.InetAddress
import java.security.PrivateKey
import java.security.PublicKey
import java.security.cert.CertificateFactory
import java.security.cert.X509Certificate
import java.time.Instant
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter

/** A certificate of RFC 5280 before it is signed, by an EC key: version 3, with names and the constraints of its kind. */
internal class CertificateDraft(
    private val issuer: String,
    private val subject: String,
    private val key: PublicKey,
    private val names: List<String>,
    private val authority: Boolean,
    private val validity: Pair<Instant, Instant>,
) {
    fun sign(by: PrivateKey): X509Certificate {
        val body = body()
        val signed = sequence(body, SIGNED_WITH, bits(signature(by, body)))
        val factory = CertificateFactory.getInstance("X.509")
        return factory.generateCertificate(ByteArrayInputStream(signed)) as X509Certificate
    }

    private fun body(): ByteArray = sequence(
        der(VERSION, integer(BigInteger.TWO)),
        integer(serialNumber()),
        SIGNED_WITH,
        commonName(issuer),
        sequence(time(validity.first), time(validity.second)),
        commonName(subject),
        key.encoded,
        der(EXTENSIONS, sequence(*extensions().toTypedArray())),
    )

    private fun extensions(): List<ByteArray> = buildList {
        add(extension("2.5.29.19", true, sequence(*if (authority) arrayOf(der(BOOLEAN, TRUE)) else emptyArray())))
        if (names.isNotEmpty()) add(extension("2.5.29.17", false, sequence(*names.map(::generalName).toTypedArray())))
    }

    private fun extension(id: String, critical: Boolean, value: ByteArray) =
        sequence(oid(id), if (critical) der(BOOLEAN, TRUE) else ByteArray(0), der(OCTETS, value))

    private fun generalName(name: String): ByteArray =
        if (ADDRESS.matches(name)) {
            der(IP_NAME, InetAddress.getByName(name).address)
        } else {
            der(DNS_NAME, name.encodeToByteArray())
        }

    private companion object {
        const val BOOLEAN = 0x01
        const val INTEGER = 0x02
        const val BITS = 0x03
        const val OCTETS = 0x04
        const val OID = 0x06
        const val UTF8 = 0x0c
        const val GENERALIZED_TIME = 0x18
        const val SEQUENCE = 0x30
        const val SET = 0x31
        const val VERSION = 0xa0
        const val EXTENSIONS = 0xa3
        const val DNS_NAME = 0x82
        const val IP_NAME = 0x87
        const val SHORT = 0x80
        const val LONG_FORM_1 = 0x81
        const val LONG_FORM_2 = 0x82
        const val BYTE = 8
        const val BASE = 40
        const val SEVEN = 7
        val TRUE = byteArrayOf(-1)
        val ADDRESS = Regex("[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")
        val SIGNED_WITH = sequence(oid("1.2.840.10045.4.3.2"))
        val TIME: DateTimeFormatter = DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC)

        fun der(tag: Int, value: ByteArray): ByteArray {
            val size = value.size
            // DER wants the shortest form of a length (X.690, section 10.1).
            val length = when {
                size < SHORT -> byteArrayOf(size.toByte())
                size shr BYTE == 0 -> byteArrayOf(LONG_FORM_1.toByte(), size.toByte())
                else -> byteArrayOf(LONG_FORM_2.toByte(), (size shr BYTE).toByte(), size.toByte())
            }
            return byteArrayOf(tag.toByte()) + length + value
        }

        fun sequence(vararg parts: ByteArray): ByteArray = der(SEQUENCE, parts.fold(ByteArray(0), ByteArray::plus))

        fun integer(value: BigInteger): ByteArray = der(INTEGER, value.toByteArray())

        fun bits(value: ByteArray): ByteArray = der(BITS, byteArrayOf(0) + value)

        fun commonName(name: String): ByteArray =
            sequence(der(SET, sequence(oid("2.5.4.3"), der(UTF8, name.encodeToByteArray()))))

        fun time(at: Instant): ByteArray = der(GENERALIZED_TIME, TIME.format(at).encodeToByteArray())

        fun oid(dotted: String): ByteArray {
            val arcs = dotted.split('.').map(String::toInt)
            val packed = listOf(arcs[0] * BASE + arcs[1]) + arcs.drop(2)
            return der(OID, packed.map(::base128).fold(ByteArray(0), ByteArray::plus))
        }

        private fun base128(arc: Int): ByteArray {
            val low = (arc and (SHORT - 1)).toByte()
            val rest = generateSequence(arc shr SEVEN) { it shr SEVEN }.takeWhile { it > 0 }
            return rest.map { ((it and (SHORT - 1)) or SHORT).toByte() }.toList().reversed().toByteArray() + low
        }
    }
}

package dev.carom.pool.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.file.Files
import java.security.KeyStore
import java.security.cert.CertificateExpiredException
import java.security.cert.CertificateFactory

class TestCertificatesTest :
    FunSpec({
        val authority = TestCertificates("Test CA")

        test("a certificate is signed by the authority and has the names it was issued for") {
            for (algorithm in listOf("EC", "RSA", "Ed25519")) {
                val (certificate, above) = authority.issueWith(algorithm, "db1.shop.test", "127.0.0.1", "::1").chain
                above shouldBe authority.certificate
                certificate.verify(above.publicKey)
                above.verify(above.publicKey)
                certificate.checkValidity()
                certificate.subjectX500Principal.name shouldBe "CN=db1.shop.test"
                certificate.subjectAlternativeNames.map { it[1] } shouldBe
                    listOf("db1.shop.test", "127.0.0.1", "0:0:0:0:0:0:0:1")
                (certificate.basicConstraints to above.basicConstraints) shouldBe (-1 to Int.MAX_VALUE)
            }
        }

        test("an expired certificate is expired") {
            shouldThrow<CertificateExpiredException> { authority.issueExpired("a.test").chain.first().checkValidity() }
        }

        test("files are what the JDK reads") {
            val directory = Files.createTempDirectory("carom")
            val (cert, key, store) = listOf("cert.pem", "key.pem", "store.p12").map(directory::resolve)
            val identity = authority.issue("a.test")
            identity.writePem(cert, key)
            val read = Files.newInputStream(cert).use {
                CertificateFactory.getInstance("X.509").generateCertificates(it)
            }
            read.toList() shouldBe identity.chain
            Files.readString(key).lines().first() shouldBe "-----BEGIN PRIVATE KEY-----"
            identity.writePkcs12(store, "pw")
            KeyStore.getInstance(store.toFile(), "pw".toCharArray()).getKey("key", "pw".toCharArray()) shouldBe
                identity.privateKey
            directory.toFile().deleteRecursively()
        }
    })

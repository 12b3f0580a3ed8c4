package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldNotContain

class SecretTest :
    FunSpec({
        val canary = "c4n4ry-p@ss/w:rd"

        test("a secret never prints, nor do the credentials it is in") {
            val secret = Secret.of(canary)
            secret.toString() shouldBe "Secret(***)"
            Credentials("app", secret).toString() shouldBe "Credentials(app, Secret(***))"
            AuthenticationFailed("no ${Credentials("app", secret)}").message!! shouldNotContain "c4n4ry"
        }

        test("what is passed in may be wiped, and what use gets is wiped after") {
            val given = canary.toCharArray()
            val secret = Secret(given)
            given.fill('x')
            var lent = CharArray(0)
            secret.use {
                lent = it
                it.concatToString() shouldBe canary
            }
            lent.all { it == '\u0000' } shouldBe true
            secret.reveal() shouldBe canary
            secret.length shouldBe canary.length
        }

        test("equal characters are equal secrets, whatever the length of the others") {
            Secret.of("abc") shouldBe Secret.of("abc")
            Secret.of("abc").hashCode() shouldBe Secret.of("other").hashCode()
            for (other in listOf("abd", "ab", "abcd", "", "abcabc")) Secret.of("abc") shouldNotBe Secret.of(other)
            Secret.of("") shouldNotBe Secret.of("a")
            Secret.of("") shouldBe Secret.of("")
        }

        test("a wiped secret cannot be used, and equals nothing but itself") {
            val secret = Secret.of("abc")
            secret.wipe()
            secret.wipe()
            shouldThrow<IllegalStateException> { secret.reveal() }
            shouldThrow<IllegalStateException> { secret.use { it.size } }
            secret shouldBe secret
            secret shouldNotBe Secret.of("")
            secret.redact("abc") shouldBe "abc"
        }

        test("a message of a driver is redacted in every shape a URL gives a password") {
            val secret = Secret.of(canary)
            val encoded = "c4n4ry-p%40ss%2Fw%3Ard"
            for (
            shape in listOf(
                "jdbc:pg://app:$canary@db/shop",
                "jdbc:pg://db/shop?user=app&password=$canary",
                "jdbc:oracle:thin:app/$canary@db",
                "redis://app:$encoded@db",
                "redis://app:${encoded.lowercase()}@db",
                "jdbc:mysql://(host=db,user=app,password=$canary)/shop",
                "jdbc:sqlserver://db;user=app;password={$canary};",
                "r2dbc:pg://app:$encoded@db?sslmode=require",
                "mongodb+srv://app:$encoded@db/?authSource=admin",
                "amqp://app:$encoded@db,app:$encoded@other",
                "{\"user\":\"app\",\"password\":\"$canary\"}",
                "failed: $canary$canary",
            )
            ) {
                secret.redact(shape) shouldNotContain "c4n4ry"
            }
            Secret.of("two words").redact("password=two+words&x=1") shouldBe "password=***&x=1"
            Secret.of("two words").redact("password=two%20words") shouldBe "password=***"
            Secret.of("").redact("as it is") shouldBe "as it is"
        }
    })

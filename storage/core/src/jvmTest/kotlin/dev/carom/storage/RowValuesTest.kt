package dev.carom.storage

import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.getDecimal
import dev.carom.storage.sql.getEnum
import dev.carom.storage.sql.getInstant
import dev.carom.storage.sql.getList
import dev.carom.storage.sql.getLocalDate
import dev.carom.storage.sql.getLocalDateTime
import dev.carom.storage.sql.getLocalTime
import dev.carom.storage.sql.getOffsetDateTime
import dev.carom.storage.sql.getUuid
import dev.carom.storage.sql.to
import dev.carom.storage.sql.value
import dev.carom.storage.sql.valueOrNull
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.math.BigDecimal
import java.math.BigInteger
import java.sql.Timestamp
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.util.UUID

private enum class Colour { RED, GREEN }

@JvmRecord
private data class Person(val id: Long, val fullName: String, val born: LocalDate?, val colour: Colour)

class RowValuesTest :
    FunSpec({
        fun one(value: Any?, type: String = "t") = Row(listOf(ColumnInfo("c", type)), listOf(value))

        val uuid = UUID.fromString("123e4567-e89b-12d3-a456-426614174000")
        val date = LocalDate.of(2026, 2, 3)
        val time = LocalTime.of(4, 5, 6)
        val both = LocalDateTime.of(date, time)
        val moment = Instant.parse("2026-02-03T04:05:06Z")
        val utc = OffsetDateTime.of(both, ZoneOffset.UTC)

        test("B148 each type of the JDK from what platforms deliver for it: the value, or a refusal, never another") {
            val values = listOf(
                1, 1L, 2.5, BigDecimal("1.50"), BigInteger.TWO.pow(80), "text", true, byteArrayOf(1),
                date, time, both, utc, moment, uuid, java.sql.Date.valueOf(date), java.sql.Time.valueOf(time),
                date.toString(), time.toString(), "2026-02-03 04:05:06", "2026-02-03T04:05:06Z", uuid.toString(),
                listOf(1), arrayOf(1, 2), Double.NaN,
            )
            val getters = mapOf<String, Pair<(Row) -> Any, Map<Any, Any>>>(
                "decimal" to Pair(
                    { it.getDecimal("c") },
                    mapOf(
                        1 to BigDecimal(1),
                        1L to BigDecimal(1),
                        2.5 to BigDecimal("2.5"),
                        BigDecimal("1.50") to BigDecimal("1.50"),
                        BigInteger.TWO.pow(80) to BigDecimal(BigInteger.TWO.pow(80)),
                    ),
                ),
                "date" to Pair(
                    { it.getLocalDate("c") },
                    mapOf(date to date, java.sql.Date.valueOf(date) to date, date.toString() to date),
                ),
                "time" to Pair(
                    { it.getLocalTime("c") },
                    mapOf(time to time, java.sql.Time.valueOf(time) to time, time.toString() to time),
                ),
                "date and time" to Pair(
                    { it.getLocalDateTime("c") },
                    mapOf(both to both, "2026-02-03 04:05:06" to both),
                ),
                "offset" to Pair(
                    { it.getOffsetDateTime("c") },
                    mapOf(utc to utc, moment to utc, "2026-02-03T04:05:06Z" to utc),
                ),
                "instant" to Pair(
                    { it.getInstant("c") },
                    mapOf(utc to moment, moment to moment, "2026-02-03T04:05:06Z" to moment),
                ),
                "uuid" to Pair({ it.getUuid("c") }, mapOf(uuid to uuid, uuid.toString() to uuid)),
            )
            for ((name, getter) in getters) {
                for (value in values) {
                    withClue("$name of $value") {
                        val expected = getter.second[value]
                        if (expected != null) {
                            getter.first(one(value)) shouldBe expected
                        } else {
                            shouldThrow<StorageException.BadRow> { getter.first(one(value)) }
                        }
                    }
                }
            }
        }

        test("a timestamp of JDBC has a zone where its column has one, and only there") {
            val stamp = Timestamp.from(moment)
            one(stamp, "timestamptz").getInstant("c") shouldBe moment
            one(stamp, "TIMESTAMP WITH TIME ZONE").getOffsetDateTime("c") shouldBe utc
            one(stamp, "timestamp").getLocalDateTime("c") shouldBe stamp.toLocalDateTime()
            shouldThrow<StorageException.BadRow> { one(stamp, "timestamp").getInstant("c") }
            shouldThrow<StorageException.BadRow> { one(stamp, "timestamptz").getLocalDateTime("c") }
        }

        test("16 bytes are a UUID, 15 are none; an abbreviated text is none") {
            val bytes = java.nio.ByteBuffer.allocate(16)
                .putLong(uuid.mostSignificantBits).putLong(uuid.leastSignificantBits).array()
            one(bytes).getUuid("c") shouldBe uuid
            shouldThrow<StorageException.BadRow> { one(bytes.copyOf(15)).getUuid("c") }
            shouldThrow<StorageException.BadRow> { one("1-1-1-1-1").getUuid("c") }
        }

        test("arrays are lists, enums their names") {
            one(arrayOf(1, arrayOf(2, null))).getList("c") shouldContainExactly listOf(1, listOf(2, null))
            one("RED").getEnum<Colour>("c") shouldBe Colour.RED
            one(Colour.GREEN).getEnum("c", Colour::class.java) shouldBe Colour.GREEN
            shouldThrow<StorageException.BadRow> { one("red").getEnum<Colour>("c") }
            shouldThrow<StorageException.BadRow> { one(byteArrayOf(1)).getList("c") }
        }

        test("by the type that is wanted, also one of the platform's own") {
            one(7L).value<Int>("c") shouldBe 7
            one("x").value<String>("c") shouldBe "x"
            one(date).value<LocalDate>("c") shouldBe date
            one(null).valueOrNull<LocalDate>("c").shouldBeNull()
            one(Colour.RED).value<Colour>("c") shouldBe Colour.RED
            shouldThrow<StorageException.BadRow> { one(7L).value<Colour>("c") }.message!! shouldContain "Long"
            shouldThrow<StorageException.BadRow> { one(Long.MAX_VALUE).value<Int>("c") }
            shouldThrow<StorageException.BadRow> { one(null).value<Int>("c") }
        }

        test("B150 a row is a record: by name, in another case, in snake_case; what is missing is named") {
            fun row(vararg values: Pair<String, Any?>) =
                Row(values.map { ColumnInfo(it.first, "t") }, values.map { it.second })

            val person = row("ID" to 1, "full_name" to "Ada", "born" to null, "colour" to "GREEN", "extra" to 1)
            person.to(Person::class.java) shouldBe Person(1, "Ada", null, Colour.GREEN)
            shouldThrow<StorageException.BadRow> { row("id" to 1).to(Person::class.java) }.message!! shouldContain
                "Person.fullName"
            shouldThrow<StorageException.BadRow> {
                row("id" to null, "fullname" to "x", "born" to null, "colour" to "RED").to(Person::class.java)
            }.message!! shouldContain "id is null"
        }
    })

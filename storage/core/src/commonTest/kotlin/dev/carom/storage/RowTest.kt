package dev.carom.storage

import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.SqlResult
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class RowTest :
    FunSpec({
        fun row(vararg values: Pair<String, Any?>) =
            Row(values.map { ColumnInfo(it.first, "t") }, values.map { it.second })

        test("values are had by index and by name, exactly written or not") {
            val row = row("id" to 1L, "Name" to "x")
            row[0] shouldBe 1L
            row["id"] shouldBe 1L
            row["NAME"] shouldBe "x"
            row.size shouldBe 2
            row.toList() shouldContainExactly listOf(1L, "x")
            row.toMap() shouldBe mapOf("id" to 1L, "Name" to "x")
        }

        test("a name that fits several columns is refused, its index is not; exactly written wins") {
            val row = row("a" to 1, "a" to 2, "B" to 3, "b" to 4)
            shouldThrow<StorageException.BadRow> { row["a"] }.message!! shouldContain "2 columns"
            row[1] shouldBe 2
            row["b"] shouldBe 4
            row["B"] shouldBe 3
        }

        test("what is not there is refused with what is") {
            val row = row("a" to 1)
            shouldThrow<StorageException.BadRow> { row["x"] }.message!! shouldContain "[a]"
            shouldThrow<IndexOutOfBoundsException> { row[1] }.message!! shouldContain "1 of 1"
            shouldThrow<IndexOutOfBoundsException> { row[-1] }
        }

        test("null is refused by all that do not say so") {
            val row = row("n" to null)
            shouldThrow<StorageException.BadRow> { row.getInt("n") }.message!! shouldContain "n is null"
            row.getIntOrNull("n").shouldBeNull()
            row.getStringOrNull("n").shouldBeNull()
            row.getBytesOrNull("n").shouldBeNull()
            row.isNull("n") shouldBe true
        }

        test("columns with names like members are ordinary columns") {
            val row = row("size" to 1, "length" to 2, "class" to 3, "toString" to 4)
            listOf("size", "length", "class", "toString").map { row.getInt(it) } shouldContainExactly listOf(1, 2, 3, 4)
        }

        test("each type through each getter: the value, or a refusal, never another value") {
            val values: List<Any> = listOf(
                1, 300, 1L, Long.MAX_VALUE, (1L shl 53) + 1, 2.0, 2.5, 1e30, 2.0f, 1.toShort(), 1.toByte(),
                true, "7", "x", byteArrayOf(1),
            )
            for (value in values) {
                withClue("$value ${value::class.simpleName}") {
                    val row = row("c" to value)
                    fun <T> get(getter: () -> T): T? = try {
                        getter()
                    } catch (_: StorageException.BadRow) {
                        null
                    }
                    val whole = (value as? Number)?.let { n ->
                        n.toLong().takeIf { n is Long || (n.toDouble() == it.toDouble() && n.toDouble() < 9e15) }
                    }
                    get { row.getLong(0) } shouldBe whole
                    get { row.getInt(0) } shouldBe whole?.toInt()?.takeIf { it.toLong() == whole }
                    val double = (value as? Number)?.toDouble()?.takeIf { value !is Long || value < (1L shl 53) }
                    get { row.getDouble(0) } shouldBe double
                    get { row("c" to Double.NaN).getLong(0) } shouldBe null
                    get { row.getBoolean(0) } shouldBe
                        (value as? Boolean ?: if (value is Number && value.toString() == "1") true else null)
                    get { row.getString(0) } shouldBe if (value is ByteArray) null else value.toString()
                    get { row.getBytes(0) }?.toList() shouldBe (value as? ByteArray)?.toList()
                }
            }
        }

        test("bytes are copies") {
            val row = row("b" to byteArrayOf(1, 2))
            row.getBytes("b")[0] = 9
            row.getBytes("b").toList() shouldContainExactly listOf<Byte>(1, 2)
        }

        test("values beyond the columns are cut off, rows are equal by names and values") {
            val row = Row(listOf(ColumnInfo("a", "t")), listOf(1, 2, 3))
            row.toList() shouldContainExactly listOf(1)
            row shouldBe row("a" to 1)
        }

        test("a result tells the first key that is a number") {
            SqlResult(1, listOf(row("id" to 7L))).lastId shouldBe 7
            SqlResult(1).lastId.shouldBeNull()
            SqlResult(1, listOf(row("id" to "x"))).lastId.shouldBeNull()
        }
    })

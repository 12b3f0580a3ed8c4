package dev.carom.storage.split

import dev.carom.storage.memory.MemorySqlDriver
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe

class GtidTest :
    FunSpec({
        val maria = MariaReplication(MemorySqlDriver())
        val mysql = MysqlReplication(MemorySqlDriver())

        test("MariaDB: a position covers another if each of its domains has come as far") {
            fun covers(later: String, earlier: String) = maria.covers(WriteToken(later), WriteToken(earlier))
            covers("0-1-100", "0-1-100") shouldBe true
            covers("0-2-101", "0-1-100") shouldBe true
            covers("0-1-99", "0-1-100") shouldBe false
            covers("0-1-100,1-7-3", "1-9-3") shouldBe true
            covers("0-1-100", "0-1-100,1-9-3") shouldBe false
            covers("", "0-1-1") shouldBe false
            covers("0-1-18446744073709551615", "0-1-18446744073709551614") shouldBe true
            shouldThrow<IllegalArgumentException> { covers("0-1-100", "16/B374D848") }
        }

        test("MySQL: a set covers another if each of its intervals lies in one of its own") {
            val a = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
            val b = "4e11fa47-71ca-11e1-9e33-c80aa9429562"
            fun covers(later: String, earlier: String) = mysql.covers(WriteToken(later), WriteToken(earlier))
            covers("$a:1-23", "$a:1-23") shouldBe true
            covers("$a:1-23", "$a:1-20:22") shouldBe true
            covers("$a:1-20:22", "$a:1-23") shouldBe false
            covers("$a:1-10:11-20", "$a:5-15") shouldBe true
            covers("$a:1-23,\n$b:1-5", "$b:5") shouldBe true
            covers("$a:1-23", "$a:1-23,$b:1") shouldBe false
            covers("$a:1-3:blue:1-9", "$a:blue:4") shouldBe true
            covers("$a:1-9", "$a:blue:4") shouldBe false
            covers("", "$a:1") shouldBe false
        }
    })

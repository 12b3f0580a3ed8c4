package dev.carom.pool.dns

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiToolsFactory
import java.io.File
import java.util.ServiceLoader

class DnsApiTest :
    FunSpec({
        test("the public API is the one in the api directory") {
            val classes = File("target/classes").walk().filter { it.extension == "class" }.toList()
            classes.shouldNotBeEmpty()
            val tools = ServiceLoader.load(AbiToolsFactory::class.java).single().get()
            val dump = buildString { tools.printJvmDump(this, classes, AbiFilters.EMPTY) }
            dump.isNotBlank() shouldBe true
            val file = File("api/carom-pool-dns.api")
            if (System.getProperty("carom.api.update").toBoolean()) file.writeText(dump)
            dump shouldBe file.readText()
        }
    })

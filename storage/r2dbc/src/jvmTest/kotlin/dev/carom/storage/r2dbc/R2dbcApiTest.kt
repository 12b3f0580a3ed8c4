package dev.carom.storage.r2dbc

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotBeBlank
import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiToolsFactory
import java.io.File
import java.util.ServiceLoader

class R2dbcApiTest :
    FunSpec({
        test("the public API is the one in api/carom-storage-r2dbc.api; -Dcarom.api.update=true accepts a change") {
            val tools = ServiceLoader.load(AbiToolsFactory::class.java).single().get()
            val classes = File("target/classes").walk().filter { it.extension == "class" }.toList()
            val dump = buildString { tools.printJvmDump(this, classes, AbiFilters.EMPTY) }
            dump.shouldNotBeBlank()

            val file = File("api/carom-storage-r2dbc.api")
            if (System.getProperty("carom.api.update") == "true") file.writeText(dump)
            dump shouldBe file.readText()
        }
    })

package dev.carom.samples.echo

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import java.io.File

/** The README's code is the compiled samples' code. */
class ReadmeTest :
    FunSpec({
        test("each snippet in the README is in the samples, to the letter; -Dcarom.api.update=true copies them over") {
            val snippets = listOf("echo", "cluster", "bank", "messaging")
                .flatMap {
                    File("../$it/src/main").walk().filter { file ->
                        file.isFile &&
                            file.name.startsWith("Snippets")
                    }
                }
                .flatMap { file -> snippetsIn(file.readText()) { if (file.extension == "kt") "kotlin" else "java" } }
                .toMap()
            val readme = File("../../README.md")
            val marker = Regex("<!-- snippet: (\\S+) -->\n(?:```\\w*\n.*?\n```\n)?", RegexOption.DOT_MATCHES_ALL)
            marker.findAll(readme.readText()).count() shouldBeGreaterThan 0
            val expected = marker.replace(readme.readText()) { match ->
                val name = match.groupValues[1]
                "<!-- snippet: $name -->\n${snippets.getValue(name)}\n"
            }
            if (System.getProperty("carom.api.update") == "true") readme.writeText(expected)
            readme.readText() shouldBe expected
        }
    })

private fun snippetsIn(text: String, language: () -> String): List<Pair<String, String>> =
    Regex("// snippet: (\\S+)\n(.*?)\n *// end", RegexOption.DOT_MATCHES_ALL)
        .findAll(text)
        .map { it.groupValues[1] to "```${language()}\n${it.groupValues[2].trimIndent()}\n```" }
        .toList()

package dev.carom.pool.dns.fuzz

import dev.carom.fuzz.Corpus
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan

class FuzzCorpusTest :
    FunSpec({
        for (target in listOf(AnswerTarget(), ConfigTarget())) {
            test("${target.javaClass.simpleName} holds for its corpus, cut anywhere, and for 5,000 inputs made of it") {
                Corpus.replay(target) shouldBeGreaterThan 5_000
            }
        }
    })

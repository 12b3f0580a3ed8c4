package dev.carom.gossip.net.fuzz

import dev.carom.fuzz.Corpus
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan

class FuzzCorpusTest :
    FunSpec({
        test("a stream's frame holds for its corpus, cut anywhere, and for 5,000 inputs made of it") {
            Corpus.replay(StreamFrameTarget()) shouldBeGreaterThan 5_000
        }
    })

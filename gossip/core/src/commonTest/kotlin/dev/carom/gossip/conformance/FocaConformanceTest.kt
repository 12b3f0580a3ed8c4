package dev.carom.gossip.conformance

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe

/** What foca's own 82 tests show (all its features on), shown of ours. Numbered as in the list they were taken from. */
class FocaConformanceTest :
    FunSpec({
        val cases = Cases(this)
        cases.ofTheQueue()
        cases.ofCodecsAndTimers()
        cases.ofTheTable()
        cases.ofInstances()
        cases.ofJoining()
        cases.ofUpdates()
        cases.ofProbes()
        cases.ofRelays()
        cases.ofSuspicion()
        cases.ofExtensions()

        test("all 82 cases are here, each once") {
            cases.shown.sorted() shouldBe (1..82).toList()
        }
    })

class Cases(private val spec: FunSpec) {
    val shown = ArrayList<Int>()

    /** [number]s are those that the test shows. */
    fun case(vararg number: Int, name: String, body: () -> Unit) {
        shown += number.toList()
        spec.test("foca ${number.joinToString()}: $name") { body() }
    }
}

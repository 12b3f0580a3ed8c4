package dev.carom.samples.echo

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** Runs the demo; fails if a promise was not kept. With `--lasting` it goes on until it is told `quit`. */
fun main(args: Array<String>) {
    require(args.all { it == "--lasting" || it.isBlank() }) { "only --lasting is known, got ${args.joinToString(" ")}" }
    val screen = Screen(System.out, live = System.console() != null)
    val demo = Demo(screen, Pace.WATCHED)
    val verdict = runBlocking(Dispatchers.Default) {
        if ("--lasting" in args) demo.last(generateSequence(::readlnOrNull)) else demo.run()
    }
    println("\n$verdict")
    check(verdict.ok) { "not kept: ${verdict.missed.joinToString()}" }
}

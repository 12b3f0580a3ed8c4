package dev.carom.samples.echo

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Runs the demo; fails if a promise was not kept. With `--lasting` it goes on until it is told `quit`. `-Dcarom.demo.bound=10`
 * gives the pool 10 s to follow each change: for a machine that has other things to do.
 */
fun main(args: Array<String>) {
    require(args.all { it == "--lasting" || it.isBlank() }) { "only --lasting is known, got ${args.joinToString(" ")}" }
    val screen = Screen(System.out, live = System.console() != null)
    val bound = System.getProperty("carom.demo.bound")?.let(::boundOf) ?: Pace.WATCHED.bound
    val demo = Demo(screen, Pace.WATCHED, bound)
    val verdict = runBlocking(Dispatchers.Default) {
        if ("--lasting" in args) demo.last(generateSequence(::readlnOrNull)) else demo.run()
    }
    println("\n$verdict")
    check(verdict.ok) { "not kept: ${verdict.missed.joinToString()}" }
}

private fun boundOf(seconds: String): Duration {
    val number = seconds.toIntOrNull()
    require(number != null && number in 1..MOST_SECONDS) {
        "carom.demo.bound must be in 1..$MOST_SECONDS seconds, was \"$seconds\""
    }
    return number.seconds
}

private const val MOST_SECONDS = 3600

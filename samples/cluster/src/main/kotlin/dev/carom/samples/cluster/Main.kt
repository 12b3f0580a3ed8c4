package dev.carom.samples.cluster

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** Runs the demo; fails if a promise was not kept. */
fun main() {
    val verdict = runBlocking(Dispatchers.Default) { Demo(::println).run() }
    println("\n$verdict")
    check(verdict.ok) { "not kept: ${verdict.missed.joinToString()}" }
}

package dev.carom.samples.bank

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** Runs the demo; fails if a promise was not kept. With `-java` the one that is written in Java. */
fun main(args: Array<String>) {
    require(args.all { it == "-java" || it.isBlank() }) { "only -java is known, got ${args.joinToString(" ")}" }
    if ("-java" in args) return BankFromJava.main(emptyArray())
    val server = checkNotNull(Server.open()) { "no PostgreSQL can be started here" }
    val verdict = server.use { runBlocking(Dispatchers.Default) { Demo(it, System.out, Pace.WATCHED).run() } }
    println("\n$verdict")
    check(verdict.ok) { "not kept: ${verdict.missed.joinToString()}" }
}

package dev.carom.samples.messaging.cat

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import picocli.CommandLine
import picocli.CommandLine.Command
import picocli.CommandLine.Mixin
import java.util.concurrent.Callable
import kotlin.system.exitProcess

/** Sends and receives messages of any protocol; knows the flags of nanocat and nngcat. */
@Command(
    name = "spcat",
    mixinStandardHelpOptions = true,
    version = ["spcat of Carom 0.1"],
    description = ["Talks to sockets of the scalability protocols: nanomsg, nng, mangos, Carom."],
    sortOptions = false,
)
class Spcat : Callable<Int> {
    @Mixin
    var options = SpcatOptions()

    override fun call(): Int = runBlocking(Dispatchers.Default) { Cat(options, System.out, System.err).run() }
}

fun main(args: Array<String>) {
    exitProcess(CommandLine(Spcat()).execute(*args))
}

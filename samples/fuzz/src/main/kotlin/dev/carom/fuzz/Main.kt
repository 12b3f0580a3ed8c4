package dev.carom.fuzz

import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.readLines
import kotlin.system.exitProcess

/**
 * Fuzzes each target of the leaf in the working directory for as many seconds as the first argument says. The second is
 * the seed of the dice: with the same one, and nothing kept from before, a slower machine tries a part of what a faster
 * one tries; with 0, or without, every run has its own.
 */
fun main(args: Array<String>) {
    require(args.size in 1..2) { "seconds and perhaps a seed, got ${args.joinToString(" ")}" }
    val seconds = args[0].toInt()
    val seed = args.getOrElse(1) { "0" }.toInt()
    val runs = Corpus.targets().map { JazzerRun(it, seconds, seed).also(JazzerRun::run) }
    if (runs.any { it.failed }) exitProcess(1)
}

/**
 * One target in a JVM of its own, with Jazzer on the class path. New inputs are kept under `target/fuzz`, to go on from
 * there the next time; an input that is a finding too, as `crash-…`.
 */
private class JazzerRun(private val target: String, private val seconds: Int, private val seed: Int) {
    private val home = Path.of("target/fuzz", target).createDirectories()
    private val log = home.resolve("log.txt")
    var failed = false
        private set

    fun run() {
        val exit = ProcessBuilder(command()).redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor()
        failed = exit != 0
        val lines = log.readLines()
        fun told(what: String) = lines.firstOrNull { it.startsWith(what) }?.substringAfter(what)?.trim() ?: "?"
        val verdict = if (failed) "FINDING" else "ok"
        println(
            "%-52s %10s inputs in %d s, allocated at most".format(target, told(COUNT), seconds) +
                " %5s of the bound  %s".format(told(Trial.SHARE), verdict),
        )
        if (failed) lines.filter { it.startsWith("== ") || it.startsWith("artifact") }.forEach(::println)
    }

    private fun command(): List<String> {
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val kept = home.resolve("corpus").createDirectories()
        return listOf(
            java, "-XX:+EnableDynamicAgentLoading", "-Xmx512m", "-Dcarom.fuzz.target=$target",
            "-cp", System.getProperty("java.class.path"), "com.code_intelligence.jazzer.Jazzer",
            "--target_class=${Trial::class.java.name}",
            "--instrumentation_includes=dev.carom.**:org.xbill.DNS.**",
            "--instrumentation_excludes=dev.carom.fuzz.**",
            "--reproducer_path=$home", "-artifact_prefix=$home/", "-print_final_stats=1", "-max_len=$LONGEST",
            "-rss_limit_mb=0", "-max_total_time=$seconds", "-seed=$seed", "$kept", "${Corpus.root.resolve(target)}",
        )
    }

    private companion object {
        const val COUNT = "stat::number_of_executed_units:"
        const val LONGEST = 4_096
    }
}

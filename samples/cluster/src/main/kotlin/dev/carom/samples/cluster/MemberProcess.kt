package dev.carom.samples.cluster

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit.MILLISECONDS
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration

/** A member's process, seen from outside. */
class MemberProcess(val name: String, program: String, port: Int, seeds: List<String>, keyHex: String) : AutoCloseable {
    private val process = ProcessBuilder(
        listOf(java(), "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath(), program) +
            listOf(name, "$port") + seeds,
    ).redirectErrorStream(true).apply { environment().keys.removeAll(CHATTY) }.start()
    private val input = process.outputStream.bufferedWriter()
    private val done = AtomicInteger()
    private val doneCount = MutableStateFlow(0)

    /** `address#generation`, and its port; null until it is ready. */
    val ready = MutableStateFlow<Ready?>(null)

    /** The identities it sees now. */
    val members = MutableStateFlow<Set<String>>(emptySet())

    /** Who it has declared dead, or was told is. */
    val downs = ConcurrentLinkedQueue<String>()

    /** Whom it suspected, or was told to. */
    val suspicions = ConcurrentLinkedQueue<String>()

    /** Lines that are none of the program's: something went wrong. */
    val complaints = ConcurrentLinkedQueue<String>()

    @Volatile
    var unopened = 0L
        private set

    @Volatile
    var leftWell: Boolean? = null
        private set

    /** What a member says when it runs. */
    class Ready(val identity: String, val servicePort: Int) {
        val address get() = identity.substringBefore('#')
        val gossipPort get() = address.substringAfterLast(':').toInt()
    }

    init {
        send(keyHex)
        thread(isDaemon = true, name = "read-$name") {
            process.inputStream.bufferedReader().useLines { lines -> lines.forEach(::hear) }
        }
    }

    suspend fun awaitReady(): Ready = ready.first { it != null }!!

    /** Sends a command and waits until it is done. */
    suspend fun command(line: String) {
        val number = done.incrementAndGet()
        send(line)
        doneCount.first { it >= number }
    }

    /** SIGKILL: no word to anybody. */
    fun kill() {
        process.destroyForcibly().waitFor()
    }

    /** SIGSTOP: it is there, but does nothing. */
    fun pause(): Unit = signal("STOP")

    /** SIGCONT. */
    fun resume(): Unit = signal("CONT")

    /** Whether it ended by itself, with success, within [bound]. */
    fun endedWell(bound: Duration): Boolean =
        process.waitFor(bound.inWholeMilliseconds, MILLISECONDS) && process.exitValue() == 0

    override fun close() {
        process.destroyForcibly().waitFor()
    }

    private fun send(line: String) {
        input.write("$line\n")
        input.flush()
    }

    private fun signal(name: String) {
        // The shell has one of its own; the program need not be installed.
        val exit = ProcessBuilder("sh", "-c", "kill -$name ${process.pid()}").inheritIO().start().waitFor()
        check(exit == 0) { "kill -$name ${process.pid()} ended with $exit" }
    }

    private fun hear(line: String) {
        val words = line.split(' ').filter { it.isNotEmpty() }
        when (words.firstOrNull()) {
            "ready" -> ready.value = Ready(words[1], words[2].toInt())
            "members" -> members.value = words.drop(1).toSet()
            "down" -> downs += words[1]
            "suspected" -> suspicions += words[1]
            "unopened" -> unopened = words[1].toLong()
            "left" -> leftWell = words[1].toBoolean()
            "done" -> doneCount.value++
            else -> complaints += line
        }
    }

    private companion object {
        /** A JVM says so when it has read one of these, and its output is for other things. */
        val CHATTY = setOf("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")

        fun java(): String = System.getProperty("java.home") + "/bin/java"

        /** Under test the class path is in a manifest, and here. */
        fun classpath(): String =
            System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
    }
}

package dev.carom.pool.testkit

import dev.carom.pool.testkit.internal.Sockets
import kotlinx.coroutines.Job
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit.MILLISECONDS
import java.util.concurrent.locks.LockSupport

/**
 * Finds what a piece of code has left behind: everything there is at [check] that was not there when this was made.
 *
 * * **Threads**, all but those that the JVM, the coroutine dispatchers and the test frameworks keep for good.
 * * **Sockets**, TCP and UDP, of the whole process: on Linux, through `/proc`; elsewhere they are not looked at
 *   ([seesSockets]).
 * * **Coroutines**, those of the jobs it was told to [watch]: what is still active of them or their children.
 *
 * What other code does in the same process at the same time counts too: not for tests that run beside each other.
 *
 * ```
 * val leaks = LeakCheck()
 * …
 * leaks.check()
 * ```
 *
 * In JUnit it is `LeakCheckExtension`, in Kotest [LeakCheckListener].
 *
 * @param ignoredThreads beginnings of the names of further threads that may stay.
 */
public class LeakCheck(ignoredThreads: Collection<String>) {
    /** Ignores only the usual threads. */
    public constructor() : this(emptyList())

    private val ignored = USUAL + ignoredThreads
    private val threadsBefore = Thread.getAllStackTraces().keys
    private val socketsBefore = Sockets.open().keys
    private val jobs = CopyOnWriteArrayList<Pair<String, Job>>()

    /** [job] and its children must have ended at [check]; [name] is for the message. */
    public fun watch(name: String, job: Job): LeakCheck {
        jobs += name to job
        return this
    }

    /** What is left behind now, one line each; empty if nothing is. Waits for nothing. */
    public fun leaks(): List<String> = threads().map { "thread \"${it.name}\" (${it.state})" } +
        (Sockets.open() - socketsBefore).values.map { "socket $it" } +
        jobs.flatMap { (name, job) -> active(name, job) }

    /**
     * Gives what is on its way out [graceMillis] milliseconds for it, and ends as soon as nothing is left.
     *
     * @param graceMillis 0 or more.
     * @throws AssertionError if something is left behind then, with one line for each.
     */
    @JvmOverloads
    public fun check(graceMillis: Long = 20_000) {
        require(graceMillis >= 0) { "graceMillis must be at least 0, was $graceMillis" }
        val deadline = System.nanoTime() + MILLISECONDS.toNanos(graceMillis)
        var left = leaks()
        while (left.isNotEmpty() && System.nanoTime() < deadline) {
            // nothing tells when a descriptor is closed: it is looked at again
            LockSupport.parkNanos(MILLISECONDS.toNanos(PAUSE_MILLIS))
            if (Thread.interrupted()) throw InterruptedException("interrupted with ${left.size} leaks found")
            left = leaks()
        }
        if (left.isNotEmpty()) {
            val lines = left.joinToString("\n  ")
            throw AssertionError("left behind, and still there after $graceMillis ms:\n  $lines")
        }
    }

    private fun threads(): List<Thread> = Thread.getAllStackTraces().keys
        .filter { thread -> thread !in threadsBefore && ignored.none { thread.name.startsWith(it) } }

    private fun active(name: String, job: Job): List<String> {
        if (job.isCompleted) return emptyList()
        val children = job.children.count()
        return listOf("coroutine $name: $job" + if (children > 0) ", with $children children" else "")
    }

    public companion object {
        /** Whether sockets can be seen on this system. */
        @JvmStatic
        public val seesSockets: Boolean get() = Sockets.areVisible

        private const val PAUSE_MILLIS = 2L

        /** Threads that whoever started them keeps for the life of the process. */
        private val USUAL = listOf(
            "Attach Listener",
            "C1 CompilerThread",
            "C2 CompilerThread",
            "Common-Cleaner",
            "DefaultDispatcher-worker-",
            "ForkJoinPool",
            "JFR ",
            "Keep-Alive-",
            "Master-Poller",
            "MasterPoller",
            "Read-Poller",
            "VirtualThread-",
            "Write-Poller",
            "junit-",
            "kotest-",
            "kotlinx.coroutines.",
            "process reaper",
            "surefire-",
        )
    }
}

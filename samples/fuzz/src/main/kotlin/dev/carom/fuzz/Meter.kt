package dev.carom.fuzz

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory

/** What this thread has allocated since it started, in bytes. */
internal object Meter {
    private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean

    fun allocated(): Long = threads.currentThreadAllocatedBytes
}

package dev.carom.storage.internal

import java.lang.invoke.MethodHandle
import java.lang.invoke.MethodHandles
import java.lang.invoke.MethodType
import java.nio.channels.ClosedByInterruptException
import java.nio.channels.spi.AbstractInterruptibleChannel

/** A thread that blocks until its call returns. */
internal class CallingThread(private val thread: Thread) : Caller(thread) {
    private val isPlatform = isVirtual == null || !(isVirtual.invoke(thread) as Boolean)

    override val isHere: Boolean get() = isPlatform && Thread.currentThread() === thread

    override fun guarded(interrupted: (Throwable) -> Unit, block: () -> Unit) = InterruptWatch(interrupted).watch(block)

    private companion object {
        /** `Thread.isVirtual`, from JDK 21 on. */
        val isVirtual: MethodHandle? = try {
            val type = MethodType.methodType(Boolean::class.javaPrimitiveType)
            MethodHandles.publicLookup().findVirtual(Thread::class.java, "isVirtual", type)
        } catch (_: NoSuchMethodException) {
            null
        }
    }
}

/**
 * Learns of the interrupt of a thread that does not look at it: what blocks in a socket or in native code. The platform tells
 * those of its channels in which a thread is; this one has nothing to close but the wait.
 */
private class InterruptWatch(private val interrupted: (Throwable) -> Unit) : AbstractInterruptibleChannel() {
    fun watch(block: () -> Unit) {
        begin()
        try {
            block()
        } finally {
            try {
                end(true)
            } catch (_: ClosedByInterruptException) {
                // Told already; the thread stays interrupted.
            }
        }
    }

    override fun implCloseChannel() = interrupted(InterruptedException("the thread was interrupted in a call"))
}

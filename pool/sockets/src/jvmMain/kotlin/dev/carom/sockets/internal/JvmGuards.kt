package dev.carom.sockets.internal

import dev.carom.sockets.internal.shell.Guard
import dev.carom.sockets.internal.shell.Guards
import java.util.concurrent.locks.ReentrantLock

/** Locks that virtual threads can wait for without holding on to their carrier. */
internal object JvmGuards : Guards {
    override fun make(): Guard = Locked()

    private class Locked :
        ReentrantLock(),
        Guard {
        private companion object {
            private const val serialVersionUID = 1L
        }
    }
}

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
        /** Sections are short: whoever holds it lets go sooner than a thread could be put to sleep and woken. */
        override fun lock() {
            repeat(SPINS) {
                if (tryLock()) return
                Thread.onSpinWait()
            }
            super.lock()
        }

        private companion object {
            private const val SPINS = 64
            private const val serialVersionUID = 1L
        }
    }
}

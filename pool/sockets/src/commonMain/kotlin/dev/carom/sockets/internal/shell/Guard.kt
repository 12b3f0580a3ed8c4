package dev.carom.sockets.internal.shell

/** Mutual exclusion of threads, for short sections that call nobody. May be locked again by its holder. */
internal interface Guard {
    fun lock()

    fun unlock()
}

/** Makes guards: what a platform has for that. */
internal fun interface Guards {
    fun make(): Guard
}

internal inline fun <T> Guard.hold(section: () -> T): T {
    lock()
    try {
        return section()
    } finally {
        unlock()
    }
}

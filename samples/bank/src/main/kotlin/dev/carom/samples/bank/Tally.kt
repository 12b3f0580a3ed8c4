package dev.carom.samples.bank

import dev.carom.storage.StorageException
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap

/** What became of a transfer, as its caller was told. */
enum class Told { COMMITTED, TOO_POOR, CANCELLED, FAILED, UNKNOWN }

/** What callers were told, for the audit. All functions may be called from any thread. */
class Tally {
    private val told = ConcurrentHashMap<UUID, Told>()
    private val surprises = ConcurrentHashMap.newKeySet<String>()

    /** Statements that ended with the code of a cancelled one though nobody had cancelled them. */
    @Volatile var unrelatedCancels = 0
        private set

    /** What nobody can explain. */
    val unexplained: Set<String> get() = surprises

    fun count(what: Told): Int = told.values.count { it == what }

    val total: Int get() = told.size

    fun tell(id: UUID, what: Told) {
        told[id] = what
    }

    fun failed(id: UUID, failure: StorageException) {
        told[id] = if (failure is StorageException.CommitOutcomeUnknown) Told.UNKNOWN else Told.FAILED
        val cancelled = generateSequence<Throwable>(failure) { it.cause }.any {
            (it as? StorageException.Platform)?.state ==
                "57014"
        }
        if (cancelled) synchronized(this) { unrelatedCancels++ }
        if (!Bank.isOutage(failure)) surprises += failure.toString()
    }

    /** The transfers whose callers were told something else than what is in the book. */
    fun lies(book: Set<UUID>): Set<UUID> = told.filter { (id, what) ->
        when (what) {
            Told.COMMITTED -> id !in book
            Told.UNKNOWN -> false
            Told.TOO_POOR, Told.CANCELLED, Told.FAILED -> id in book
        }
    }.keys + (book - told.keys)
}

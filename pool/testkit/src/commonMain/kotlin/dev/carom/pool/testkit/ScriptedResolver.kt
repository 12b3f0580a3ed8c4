package dev.carom.pool.testkit

import dev.carom.pool.Backend
import dev.carom.pool.Resolver
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onCompletion
import kotlinx.coroutines.flow.onStart
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.flow.update

/**
 * A resolver that lists what the test says, from when it says so. May be told from any thread and collected by several
 * pools at once; each sees the latest word, and like any slow collector may miss one that was soon followed by another.
 *
 * ```
 * val resolver = ScriptedResolver(Backend("a", "10.0.0.1", 5432))
 * resolver.add(Backend("b", "10.0.0.2", 5432))
 * resolver.fail(IOException("no route to the registry"))
 * ```
 *
 * Without arguments it has not answered yet.
 */
public class ScriptedResolver() : Resolver {
    /** Has answered with [backends] already. */
    public constructor(vararg backends: Backend) : this() {
        set(*backends)
    }

    private val script = MutableStateFlow<Word>(Word.Silence(emptySet()))
    private val collecting = MutableStateFlow(0)
    private val started = MutableStateFlow(0)

    /** How many collect it now. */
    public val collectors: Int get() = collecting.value

    /** How many collections there were, those that ended included. */
    public val collections: Int get() = started.value

    /** What is listed, or was when it failed, completed or fell silent. */
    public val backends: Set<Backend> get() = script.value.backends

    /** Lists [backends] and no others; nothing, if there are none. Ends a failure or a completion. */
    public fun set(vararg backends: Backend) {
        script.value = Word.Listing(backends.toSet())
    }

    /** [set] for a collection. */
    public fun set(backends: Collection<Backend>) {
        script.value = Word.Listing(backends.toSet())
    }

    /** Lists [backends] besides. */
    public fun add(vararg backends: Backend): Unit = script.update { Word.Listing(it.backends + backends) }

    /** Lists [backends] no longer. */
    public fun remove(vararg backends: Backend): Unit = script.update { Word.Listing(it.backends - backends.toSet()) }

    /** Every collection fails with [cause], also those that begin later, until something is listed again. */
    public fun fail(cause: Throwable): Unit = script.update { Word.Failure(it.backends, cause) }

    /** Every collection completes, also those that begin later, until something is listed again. */
    public fun complete(): Unit = script.update { Word.Completion(it.backends) }

    /** Collections that begin later wait; those that go on see nothing new. Until something is listed again. */
    public fun silence(): Unit = script.update { Word.Silence(it.backends) }

    override fun backends(): Flow<Set<Backend>> = flow {
        started.update { it + 1 }
        val words = script.transformWhile { word ->
            when (word) {
                is Word.Silence -> Unit
                is Word.Listing -> emit(word.backends)
                is Word.Failure -> throw word.cause
                is Word.Completion -> Unit
            }
            word !is Word.Completion
        }
        words.onStart { collecting.update { it + 1 } }.onCompletion { collecting.update { it - 1 } }
            .collect { emit(it) }
    }

    override fun toString(): String = "ScriptedResolver(${script.value})"

    private sealed interface Word {
        val backends: Set<Backend>

        data class Silence(override val backends: Set<Backend>) : Word

        data class Listing(override val backends: Set<Backend>) : Word

        data class Failure(override val backends: Set<Backend>, val cause: Throwable) : Word

        data class Completion(override val backends: Set<Backend>) : Word
    }
}

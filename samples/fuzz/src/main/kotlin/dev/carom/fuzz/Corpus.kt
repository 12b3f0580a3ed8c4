package dev.carom.fuzz

import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readBytes
import kotlin.random.Random

/** The committed inputs of a leaf, of which the tests' working directory is the root. */
object Corpus {
    internal val root: Path = Path.of("src/jvmTest/corpus")

    /** The names of all targets that have one. */
    internal fun targets(): List<String> =
        if (root.exists()) root.listDirectoryEntries().map { it.name }.sorted() else emptyList()

    /**
     * Tries [target] with each of its inputs, with each beginning of it, and with [mutants] others that come from them
     * by dice thrown the same way every time. Returns how many were tried.
     */
    fun replay(target: FuzzTarget, mutants: Int = 5_000): Int {
        val inputs = root.resolve(target.javaClass.name).listDirectoryEntries().sorted().map { it.readBytes() }
        check(inputs.isNotEmpty()) { "${target.javaClass.name} has no corpus" }
        var tried = 0
        for (input in inputs) {
            for (size in 0..minOf(input.size, LONGEST)) target.attempt(input.copyOf(size)).also { tried++ }
            target.attempt(input).also { tried++ }
        }
        val mutator = Mutator(inputs, Random(SEED))
        repeat(mutants) { target.attempt(mutator.next()).also { tried++ } }
        return tried
    }

    private const val LONGEST = 2_048
    private const val SEED = 5
}

/** Inputs like others: changed, cut, joined, with numbers at which decoders stumble. */
private class Mutator(private val inputs: List<ByteArray>, private val random: Random) {
    fun next(): ByteArray {
        var bytes = inputs.random(random).copyOf()
        repeat(random.nextInt(1, MOST_CHANGES)) { bytes = changed(bytes) }
        return bytes
    }

    private fun changed(bytes: ByteArray): ByteArray = when (random.nextInt(6)) {
        0 -> bytes.copyOf(random.nextInt(bytes.size + 1))
        1 -> bytes + inputs.random(random)
        2 -> bytes + random.nextBytes(random.nextInt(MOST_NOISE))
        3 -> cutOut(bytes)
        4 -> bytes.also { if (it.isNotEmpty()) it[random.nextInt(it.size)] = EDGES.random(random) }
        else -> bytes.also { if (it.isNotEmpty()) it[random.nextInt(it.size)] = random.nextInt().toByte() }
    }.let { if (it.size > LARGEST) it.copyOf(LARGEST) else it }

    private fun cutOut(bytes: ByteArray): ByteArray {
        val from = random.nextInt(bytes.size + 1)
        val to = random.nextInt(from, bytes.size + 1)
        return bytes.copyOf(from) + bytes.copyOfRange(to, bytes.size)
    }

    private companion object {
        const val MOST_CHANGES = 6
        const val MOST_NOISE = 16
        const val LARGEST = 8_192
        val EDGES = listOf<Byte>(0, 1, 0x7F, -128, -1)
    }
}

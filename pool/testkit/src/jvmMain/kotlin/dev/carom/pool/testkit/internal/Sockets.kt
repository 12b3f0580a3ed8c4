package dev.carom.pool.testkit.internal

import java.io.IOException
import java.nio.file.DirectoryIteratorException
import java.nio.file.Files
import java.nio.file.Path

/** The internet sockets of this process, as Linux tells them. */
internal object Sockets {
    private val DESCRIPTORS = Path.of("/proc/self/fd")
    private val TABLES = listOf("tcp", "tcp6", "udp", "udp6")
    private val SPACE = Regex("\\s+")
    private const val HEX = 16
    private const val LOCAL = 1
    private const val REMOTE = 2
    private const val INODE = 9
    private const val PORT_BITS = 16

    val areVisible: Boolean = Files.isDirectory(DESCRIPTORS) && Files.isReadable(Path.of("/proc/self/net/tcp"))

    /** By inode: which socket it is. Those of Unix domains, as the JDK keeps for itself, are not among them. */
    fun open(): Map<String, String> {
        if (!areVisible) return emptyMap()
        val inodes = inodes()
        return TABLES.flatMap { table -> entries(table).filter { it.first in inodes } }.toMap()
    }

    private fun inodes(): Set<String> = try {
        Files.newDirectoryStream(DESCRIPTORS).use { all -> all.mapNotNull(::inode).toSet() }
    } catch (_: DirectoryIteratorException) {
        emptySet()
    }

    /** Null for a file, and for a descriptor that is closed just now. */
    private fun inode(descriptor: Path): String? = try {
        Files.readSymbolicLink(descriptor).toString().takeIf { it.startsWith("socket:[") }
            ?.removeSurrounding("socket:[", "]")
    } catch (_: IOException) {
        null
    }

    private fun entries(table: String): List<Pair<String, String>> = try {
        Files.readAllLines(Path.of("/proc/self/net/$table")).drop(1).map { it.trim().split(SPACE) }
            .filter { it.size > INODE }
            .map { it[INODE] to "$table port ${port(it[LOCAL])}${remote(it[REMOTE])}" }
    } catch (_: IOException) {
        emptyList()
    }

    private fun remote(address: String) = port(address).let { if (it == 0) "" else " to port $it" }

    private fun port(address: String) = address.substringAfterLast(':').toInt(HEX) and (1 shl PORT_BITS) - 1
}

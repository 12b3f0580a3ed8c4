// Not part of any artifact: the build compiles this like commonMain and expects it to fail, on both counts.
package dev.carom.pool.impure

internal fun list(): Any = java.util.ArrayList<String>()

internal fun time(): Long = System.nanoTime()

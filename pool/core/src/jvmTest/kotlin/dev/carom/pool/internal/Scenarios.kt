package dev.carom.pool.internal

/** How many random scenarios Lincheck tries: a few, more with `-Psoak`. */
internal fun scenarios(few: Int, soaking: Int): Int {
    val seconds = System.getProperty("carom.soak.seconds")?.toLongOrNull() ?: 0
    return if (seconds >= 60) soaking else few
}

package dev.carom.storage.split.internal

import dev.carom.storage.split.WriteToken
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlDriver

/** A position of MariaDB: the last sequence number of each replication domain. `0-1-100,1-2-5`. */
internal class MariaGtids private constructor(private val last: Map<Long, ULong>) {
    fun covers(earlier: MariaGtids): Boolean =
        earlier.last.all { (domain, sequence) -> last[domain].let { it != null && it >= sequence } }

    companion object {
        fun of(text: String): MariaGtids = MariaGtids(
            parts(text).associate { part ->
                val (domain, _, sequence) = part.split('-').also { require(it.size == 3) { "no position: $text" } }
                domain.toLong() to sequence.toULong()
            },
        )
    }
}

/** A set of transactions of MySQL: intervals of each server, and of each tag of it. `uuid:1-5:9,uuid:1-3:tag:4`. */
internal class MysqlGtids private constructor(private val intervals: Map<String, List<LongRange>>) {
    fun covers(earlier: MysqlGtids): Boolean = earlier.intervals.all { (source, ranges) ->
        val mine = intervals[source].orEmpty()
        ranges.all { range -> mine.any { range.first >= it.first && range.last <= it.last } }
    }

    companion object {
        fun of(text: String): MysqlGtids {
            val found = HashMap<String, MutableList<LongRange>>()
            for (part in parts(text)) {
                val words = part.split(':').map { it.trim() }
                var source = words.first()
                for (word in words.drop(1)) {
                    if (word.first().isDigit()) {
                        found.getOrPut(source) { mutableListOf() } += interval(word)
                    } else {
                        source = "${words.first()}:$word"
                    }
                }
            }
            return MysqlGtids(found.mapValues { (_, ranges) -> joined(ranges) })
        }

        private fun interval(word: String): LongRange =
            word.split('-').map { it.toLong() }.let { it.first()..it.last() }

        /** Neighbours become one: what covers both together covers them. */
        private fun joined(ranges: List<LongRange>): List<LongRange> {
            val joined = ArrayList<LongRange>()
            for (range in ranges.sortedBy { it.first }) {
                val last = joined.lastOrNull()
                if (last != null && range.first <= last.last + 1) {
                    joined[joined.lastIndex] = last.first..maxOf(last.last, range.last)
                } else {
                    joined += range
                }
            }
            return joined
        }
    }
}

private fun parts(text: String): List<String> = text.split(',').map { it.trim() }.filter { it.isNotEmpty() }

/** The few rows of a question about the server itself. */
internal suspend fun <S : Any> SqlDriver<S>.all(session: S, text: String): List<Row> {
    val cursor = open(session, Sql.of(text, emptyList()))
    try {
        return cursor.fetch(SOURCES)
    } finally {
        cursor.close()
    }
}

/** What the variable called [name] says, as a token. */
internal suspend fun <S : Any> SqlDriver<S>.placeOf(session: S, name: String): WriteToken =
    WriteToken(all(session, "select @@global.$name as place").single().getStringOrNull("place").orEmpty())

/** A replica of more than this many primaries is beyond what is asked for here. */
private const val SOURCES = 64

package dev.carom.storage.tck

import dev.carom.storage.memory.MemorySqlDriver
import dev.carom.storage.memory.MemorySqlSession
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.PushPolicy
import dev.carom.storage.sql.PushedRows
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.RowSink
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlCursor
import dev.carom.storage.sql.SqlDriver

/** An adapter to a platform that pushes its rows instead of being asked for them: [PushedRows] is all it takes. */
class PushingDriver(private val memory: MemorySqlDriver) : SqlDriver<MemorySqlSession> by memory {
    override suspend fun open(session: MemorySqlSession, sql: Sql): SqlCursor {
        val result = memory.open(session, sql)
        val rows = PushedRows(PushPolicy(pauseCount = 4))
        Platform(result.columns, result.fetch(Int.MAX_VALUE), rows.sink).start()
        result.close()
        rows.ready()
        return rows.asCursor()
    }

    override suspend fun first(session: MemorySqlSession, sql: Sql): Row? = super.first(session, sql)
}

/** Pushes until it is asked to pause, or to stop. */
private class Platform(private val columns: Columns, rows: List<Row>, private val to: RowSink) {
    private val left = ArrayDeque(rows)

    fun start() {
        to.onResume(::push)
        to.onCancel {
            left.clear()
            to.end()
        }
        to.columns(columns.infos)
        push()
    }

    private fun push() {
        while (!to.isPaused && left.isNotEmpty()) to.push(left.removeFirst())
        if (left.isEmpty()) to.end()
    }
}

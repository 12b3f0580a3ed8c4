package dev.carom.samples.bank

/** One promise and what came of it. */
data class Check(val name: String, val measured: String, val bound: String, val ok: Boolean)

/** All promises of a run. */
class Verdict(val checks: List<Check>) {
    val ok: Boolean get() = checks.all { it.ok }

    /** The names of the promises not kept. */
    val missed: List<String> get() = checks.filterNot { it.ok }.map { it.name }

    /** One line for each check. */
    override fun toString(): String {
        val rows = listOf(listOf("check", "measured", "bound", "")) +
            checks.map { listOf(it.name, it.measured, it.bound, if (it.ok) "ok" else "MISSED") }
        val widths = rows.first().indices.map { column -> rows.maxOf { it[column].length } }
        return rows.joinToString("\n") { row ->
            row.withIndex().joinToString("  ") { (column, text) -> text.padEnd(widths[column]) }.trimEnd()
        }
    }

    companion object {
        /** What the auditor finds when everything has ended. */
        @JvmStatic
        fun of(tally: Tally, auditor: Auditor, limit: Int, afterRestart: Int, leased: Int): Verdict {
            val money = auditor.money()
            val lies = tally.lies(auditor.book()).size
            auditor.awaitQuiet()
            val idle = auditor.idleInTransaction()
            val running = auditor.running()
            val expected = Bank.ACCOUNTS * Bank.START
            return Verdict(
                listOf(
                    Check("money", "$money", "$expected", money == expected),
                    Check("transfers told otherwise than in the book", "$lies", "0", lies == 0),
                    Check("idle in transaction at the end", "$idle", "0", idle == 0L),
                    Check("still running at the end", "$running", "0", running == 0L),
                    Check("unrelated 57014", "${tally.unrelatedCancels}", "0", tally.unrelatedCancels == 0),
                    Check(
                        "most server connections",
                        "${auditor.mostBackends}",
                        "<= $limit",
                        auditor.mostBackends in 1..limit,
                    ),
                    Check("sessions on loan at the end", "$leased", "0", leased == 0),
                    Check(
                        "unexplained failures",
                        tally.unexplained.firstOrNull() ?: "0",
                        "0",
                        tally.unexplained.isEmpty(),
                    ),
                    Check("transfers after the restart", "$afterRestart", "> 0", afterRestart > 0),
                    cancelled(tally),
                ),
            )
        }

        private fun cancelled(tally: Tally): Check {
            val parts = Told.entries.joinToString { "${tally.count(it)} ${it.name.lowercase().replace('_', ' ')}" }
            val ok = tally.count(Told.COMMITTED) > 0 && tally.count(Told.CANCELLED) > 0
            return Check("transfers", "${tally.total}: $parts", "some committed, some cancelled", ok)
        }
    }
}

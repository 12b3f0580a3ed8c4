package dev.carom.pool.dns

import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.update
import kotlin.jvm.JvmOverloads

/**
 * Counts what a [DnsResolver] does, for a log or a gauge, and passes every notice on to [next]. One may listen to
 * several resolvers, and is then their sum. Safe for use by several threads.
 */
@OptIn(ExperimentalAtomicApi::class)
public class DnsCounter
@JvmOverloads
constructor(private val next: DnsListener = DnsListener.NONE) : DnsListener {
    private val latest = AtomicReference(DnsCounts())

    /** The counts, now; consistent in themselves. */
    public val counts: DnsCounts get() = latest.load()

    override fun on(notice: DnsNotice) {
        latest.update { it.after(notice) }
        next.on(notice)
    }

    override fun toString(): String = counts.toString()
}

/**
 * What happened since the start.
 *
 * @property questions sent out; each search domain, server and repetition behind one of them is the lookup's matter.
 * @property records answers with records.
 * @property noData answers that the name has no such record.
 * @property noName answers that the name does not exist.
 * @property failures questions without an answer, those to servers that do not know the type included.
 * @property millis time from question to answer, summed over all that were answered, in milliseconds.
 * @property rounds rounds that ended.
 * @property changes times another set came into force.
 * @property backends size of the set in force.
 * @property kept those of them that the answers lack, see [RemovalPolicy].
 * @property staleRounds rounds in a row, up to now, that could not confirm everything in force; 0 if all is fresh.
 * @property ageMillis time since everything was last confirmed, as the latest round saw it, in milliseconds.
 * @property ttlSeconds smallest TTL of the latest round; null if it found no address.
 * @property lastTrouble why the latest such round could not, or null if there was none.
 * @property lastChange why the set last changed, or null if it has not.
 */
public class DnsCounts internal constructor(
    public val questions: Long = 0,
    public val records: Long = 0,
    public val noData: Long = 0,
    public val noName: Long = 0,
    public val failures: Long = 0,
    public val millis: Long = 0,
    public val rounds: Long = 0,
    public val changes: Long = 0,
    public val backends: Int = 0,
    public val kept: Int = 0,
    public val staleRounds: Int = 0,
    public val ageMillis: Long = 0,
    public val ttlSeconds: Long? = null,
    public val lastTrouble: String? = null,
    public val lastChange: String? = null,
) {
    override fun toString(): String =
        "$questions questions in $rounds rounds: $records with records, $noData without, $noName no such name, " +
            "$failures failed; $backends backends, $kept kept, $changes changes" +
            if (staleRounds > 0) "; stale for $ageMillis ms: $lastTrouble" else ""

    internal fun after(notice: DnsNotice): DnsCounts = when (notice) {
        is DnsNotice.Asked -> with(questions = questions + 1)
        is DnsNotice.Answered -> answered(notice)
        is DnsNotice.Changed -> with(changes = changes + 1, lastChange = notice.reason)
        is DnsNotice.Stale -> with(staleRounds = notice.rounds, ageMillis = notice.ageMillis, trouble = notice.reason)
        is DnsNotice.Settled -> settled(notice)
        is DnsNotice.Ended -> this
    }

    private fun answered(notice: DnsNotice.Answered): DnsCounts {
        val spent = millis + notice.millis
        return when (notice.answer) {
            is DnsAnswer.Records -> with(records = records + 1, millis = spent)
            is DnsAnswer.NoData -> with(noData = noData + 1, millis = spent)
            is DnsAnswer.NoName -> with(noName = noName + 1, millis = spent)
            is DnsAnswer.NotImplemented, is DnsAnswer.Failed -> with(failures = failures + 1)
        }
    }

    private fun settled(notice: DnsNotice.Settled): DnsCounts {
        val counted = with(rounds = rounds + 1, backends = notice.backends.size, kept = notice.kept.size)
        val timed = counted.with(ttlSeconds = notice.ttlSeconds)
        return if (notice.trouble == null) timed.with(staleRounds = 0, ageMillis = 0) else timed
    }

    private fun with(
        questions: Long = this.questions,
        records: Long = this.records,
        noData: Long = this.noData,
        noName: Long = this.noName,
        failures: Long = this.failures,
        millis: Long = this.millis,
        rounds: Long = this.rounds,
        changes: Long = this.changes,
        backends: Int = this.backends,
        kept: Int = this.kept,
        staleRounds: Int = this.staleRounds,
        ageMillis: Long = this.ageMillis,
        ttlSeconds: Long? = this.ttlSeconds,
        trouble: String? = this.lastTrouble,
        lastChange: String? = this.lastChange,
    ) = DnsCounts(
        questions, records, noData, noName, failures, millis, rounds, changes, backends, kept, staleRounds, ageMillis,
        ttlSeconds, trouble, lastChange,
    )
}

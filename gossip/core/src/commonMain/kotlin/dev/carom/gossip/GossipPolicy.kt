package dev.carom.gossip

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of a running member.
 *
 * @property swim those of the protocol.
 * @property noticeBuffer how many notices a slow collector may lag behind before it misses the oldest. 1..1048576.
 * @property outbox how many datagrams may wait for the network interface; what comes then is dropped and counted, as
 *   the network would. 1..65536.
 * @property leaveTimeout how long [Gossip.leave] may spend on spreading the news. Positive, finite.
 * @property joinTimeout how long [Gossip.join] waits for the first member. Positive; [Duration.INFINITE] waits for
 *   ever.
 * @property closeTimeout how long the transport may take to close. Positive, finite.
 * @property reopenMin pause before a transport that stopped receiving is opened again; doubles up to [reopenMax]. At
 *   least 1 ms, finite.
 * @property reopenMax see [reopenMin]. At least [reopenMin], finite.
 */
public class GossipPolicy(
    public val swim: SwimPolicy = SwimPolicy(),
    public val noticeBuffer: Int = 1_024,
    public val outbox: Int = 1_024,
    public val leaveTimeout: Duration = 5.seconds,
    public val joinTimeout: Duration = 30.seconds,
    public val closeTimeout: Duration = 5.seconds,
    public val reopenMin: Duration = 50.milliseconds,
    public val reopenMax: Duration = 10.seconds,
) {
    init {
        require(noticeBuffer in 1..MOST_NOTICES) { "noticeBuffer must be in 1..$MOST_NOTICES, was $noticeBuffer" }
        require(outbox in 1..MOST_WAITING) { "outbox must be in 1..$MOST_WAITING, was $outbox" }
        positive("leaveTimeout", leaveTimeout)
        require(joinTimeout.isPositive()) { "joinTimeout must be positive, was $joinTimeout" }
        positive("closeTimeout", closeTimeout)
        require(reopenMin >= 1.milliseconds && reopenMin.isFinite()) {
            "reopenMin must be finite and at least 1ms, was $reopenMin"
        }
        require(reopenMax >= reopenMin && reopenMax.isFinite()) {
            "reopenMax must be finite and at least reopenMin $reopenMin, was $reopenMax"
        }
    }

    private fun positive(name: String, value: Duration) {
        require(value.isPositive() && value.isFinite()) { "$name must be positive and finite, was $value" }
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "GossipPolicy(swim=$swim, noticeBuffer=$noticeBuffer, outbox=$outbox, leaveTimeout=$leaveTimeout, " +
            "joinTimeout=$joinTimeout, closeTimeout=$closeTimeout, reopenMin=$reopenMin, reopenMax=$reopenMax)"

    private companion object {
        const val MOST_NOTICES = 1_048_576
        const val MOST_WAITING = 65_536
    }
}

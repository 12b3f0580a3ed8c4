package dev.carom.pool

/**
 * How a pool ended.
 *
 * @property closed connections closed while nobody held them, returned ones included.
 * @property forced connections closed under a holder who kept them beyond the grace.
 * @property refused waiting claims that were refused.
 * @property stuck connections whose `connect` or `close` had not ended when the time was up. They end when that call does.
 */
public class CloseReport(
    public val closed: Int,
    public val forced: Int,
    public val refused: Int,
    public val stuck: Int,
) {
    override fun toString(): String = "closed $closed, forced $forced, refused $refused waiting, $stuck stuck"
}

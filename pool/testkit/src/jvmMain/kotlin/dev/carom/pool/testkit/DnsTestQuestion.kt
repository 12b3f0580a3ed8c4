package dev.carom.pool.testkit

/**
 * A question as it came over the wire.
 *
 * @property name the absolute name, with the trailing dot, in the case it was asked.
 * @property type `SRV`, `A`, `AAAA`, …
 * @property tcp true over TCP, false over UDP.
 */
public data class DnsTestQuestion(public val name: String, public val type: String, public val tcp: Boolean) {
    /** `A db1.shop.test.`, with ` (tcp)` behind it over TCP. */
    override fun toString(): String = if (tcp) "$type $name (tcp)" else "$type $name"
}

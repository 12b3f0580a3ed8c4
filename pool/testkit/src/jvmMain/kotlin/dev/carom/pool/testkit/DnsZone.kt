package dev.carom.pool.testkit

import org.xbill.DNS.AAAARecord
import org.xbill.DNS.ARecord
import org.xbill.DNS.CNAMERecord
import org.xbill.DNS.DClass
import org.xbill.DNS.Master
import org.xbill.DNS.Name
import org.xbill.DNS.Record
import org.xbill.DNS.SRVRecord
import java.io.ByteArrayInputStream
import java.io.IOException
import java.net.Inet6Address
import java.net.InetAddress

/**
 * What a [DnsTestServer] knows: an immutable list of records, so that a change of many records is one assignment.
 * Each function returns a larger zone; [ttl] holds for the records added after it. Names are absolute, with or without
 * the trailing dot.
 *
 * ```
 * server.zone = DnsZone().ttl(5)
 *     .instance("_db._tcp.shop.test", "db1.shop.test", "10.0.0.1", 5432)
 *     .instance("_db._tcp.shop.test", "db2.shop.test", "10.0.0.2", 5432)
 * ```
 */
public class DnsZone private constructor(
    internal val records: List<Record>,
    private val ttlSeconds: Long,
    internal val negativeTtlSeconds: Long,
) {
    /**
     * Knows nothing: every question is answered NXDOMAIN. Records added to it live for 60 s, negative answers for 5 s.
     */
    public constructor() : this(emptyList(), DEFAULT_TTL, DEFAULT_NEGATIVE_TTL)

    /** Records added from here on have a TTL of [seconds], 0..2147483647 (RFC 2181, section 8). */
    public fun ttl(seconds: Long): DnsZone = DnsZone(records, checked(seconds), negativeTtlSeconds)

    /** Negative answers may be kept for [seconds]: TTL and minimum of the SOA in them (RFC 2308, section 5). */
    public fun negativeTtl(seconds: Long): DnsZone = DnsZone(records, ttlSeconds, checked(seconds))

    /** An SRV record of [service] for [target], and the A or AAAA record of [target]: one process in one line. */
    @JvmOverloads
    public fun instance(
        service: String,
        target: String,
        address: String,
        port: Int,
        priority: Int = 0,
        weight: Int = 1,
    ): DnsZone = srv(service, target, port, priority, weight).address(target, address)

    /** An SRV record (RFC 2782). A [target] of `.` says that the service is decidedly absent. */
    @JvmOverloads
    public fun srv(service: String, target: String, port: Int, priority: Int = 0, weight: Int = 1): DnsZone =
        with(SRVRecord(absolute(service), DClass.IN, ttlSeconds, priority, weight, port, absolute(target)))

    /** An A or AAAA record; [address] is a literal. */
    public fun address(host: String, address: String): DnsZone {
        require(
            address.all {
                it.isDigit() || it in ".:abcdefABCDEF"
            },
        ) { "address of $host must be a literal: $address" }
        val literal = InetAddress.getByName(address)
        return with(
            if (literal is Inet6Address) {
                AAAARecord(absolute(host), DClass.IN, ttlSeconds, literal)
            } else {
                ARecord(absolute(host), DClass.IN, ttlSeconds, literal)
            },
        )
    }

    /** A CNAME record: [alias] is another name of [target], known here or not. */
    public fun cname(alias: String, target: String): DnsZone =
        with(CNAMERecord(absolute(alias), DClass.IN, ttlSeconds, absolute(target)))

    /** Without all records that [name] owns. */
    public fun without(name: String): DnsZone =
        DnsZone(records.filter { it.name != absolute(name) }, ttlSeconds, negativeTtlSeconds)

    /** One line for each record, as in a master file (RFC 1035, section 5). */
    override fun toString(): String = records.joinToString("\n")

    private fun with(record: Record) = DnsZone(records + record, ttlSeconds, negativeTtlSeconds)

    public companion object {
        private const val DEFAULT_TTL = 60L
        private const val DEFAULT_NEGATIVE_TTL = 5L

        /**
         * The zone that a master file describes (RFC 1035, section 5): `$TTL`, `$ORIGIN` and any type of record; names
         * without a trailing dot are under the root. Includes are refused.
         *
         * @throws IOException if a line makes no sense; the message says which and why.
         */
        @JvmStatic
        public fun parse(text: String): DnsZone {
            val master = Master(ByteArrayInputStream(text.toByteArray()), Name.root, DEFAULT_TTL)
            master.disableIncludes(true)
            return DnsZone(generateSequence { master.nextRecord() }.toList(), DEFAULT_TTL, DEFAULT_NEGATIVE_TTL)
        }

        private fun absolute(name: String): Name = Name.fromString(name, Name.root)

        private fun checked(seconds: Long): Long {
            require(seconds in 0..Int.MAX_VALUE) { "a TTL must be in 0..${Int.MAX_VALUE} s, was $seconds" }
            return seconds
        }
    }
}

package dev.carom.pool.testkit

/** How a [DnsTestServer] treats the questions it receives. */
public enum class DnsBehaviour {
    /** Answers from the zone. */
    ANSWER,

    /** Never answers: the client times out. Over TCP the connection stays open. */
    HANG,

    /** Answers SERVFAIL. */
    SERVFAIL,

    /** Answers REFUSED. */
    REFUSED,

    /** Answers NOTIMP. */
    NOTIMP,

    /** Answers FORMERR to whoever uses EDNS and from the zone to others (RFC 6891, section 7). */
    NO_EDNS,

    /** Answers that the name exists and has no such records (RFC 2308, section 2.2). */
    EMPTY,

    /** Answers that the name does not exist (RFC 2308, section 2.1). */
    NXDOMAIN,

    /** Answers bytes that are no DNS message, behind the right id. */
    GARBAGE,

    /** Answers from the zone under an id nobody used. */
    WRONG_ID,

    /** Answers to another question than the one asked. */
    WRONG_QUESTION,

    /** Answers over UDP with the TC bit and no records, whatever fits; over TCP from the zone. */
    TRUNCATED,

    /** Ignores the size the client can take over UDP and sends the answer whole, up to 60 000 bytes. */
    OVERSIZED,

    /** Answers FORMERR, with and without EDNS. */
    FORMERR,

    /** Answers from the zone with the name of the question in other letters: `SHOP.test` for `shop.test` (RFC 4343). */
    MIXED_CASE,

    /** Answers with a record whose name is a compression pointer to itself. */
    POINTER_LOOP,

    /**
     * Before the answer from the zone, over UDP, sends three that lead to 10.6.6.6: under another id, to another
     * question, and from another port.
     */
    FORGED_FIRST,

    /** Answers only the first alias of a chain, as a server that does not know the rest. */
    ONE_ALIAS,
}

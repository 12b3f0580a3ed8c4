package dev.carom.sockets

import kotlin.jvm.JvmStatic

/**
 * A role in a scalability protocol: one end of a conversation. The numbers are those of the SP protocol registry
 * (sp-protocol-ids), so these sockets talk to nanomsg, nng and mangos.
 *
 * @property code the endpoint type on the wire: protocol number times 16 plus the role, 16 bits without sign.
 * @property label the role's name in the registry and in WebSocket subprotocols, such as `rep`.
 */
public enum class Protocol(public val code: Int, public val label: String) {
    /** Exactly one peer, both ways, no header. */
    Pair(0x10, "pair"),

    /** [Pair] with a hop count in front of each message. */
    PairV1(0x11, "pair1"),

    /** Sends each message to every [Sub]. */
    Pub(0x20, "pub"),

    /** Keeps the messages that begin with a topic it subscribed to. */
    Sub(0x21, "sub"),

    /** Asks one [Rep] and waits for its answer. */
    Req(0x30, "req"),

    /** Answers each [Req]. */
    Rep(0x31, "rep"),

    /** Gives each message to one [Pull]. */
    Push(0x50, "push"),

    /** Takes messages from every [Push] in turn. */
    Pull(0x51, "pull"),

    /** Asks every [Respondent] and collects what they answer before a deadline. */
    Surveyor(0x62, "surveyor"),

    /** Answers surveys, if it likes. */
    Respondent(0x63, "respondent"),

    /** Sends each message to every [Bus] it is connected to. */
    Bus(0x70, "bus"),
    ;

    /** The only role that this one talks to. */
    public val peer: Protocol
        get() = when (this) {
            Pair -> Pair
            PairV1 -> PairV1
            Pub -> Sub
            Sub -> Pub
            Req -> Rep
            Rep -> Req
            Push -> Pull
            Pull -> Push
            Surveyor -> Respondent
            Respondent -> Surveyor
            Bus -> Bus
        }

    public companion object {
        /** The role with this [code], or null if there is none. */
        @JvmStatic
        public fun ofCode(code: Int): Protocol? = entries.find { it.code == code }
    }
}

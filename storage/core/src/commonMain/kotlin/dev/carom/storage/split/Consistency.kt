package dev.carom.storage.split

import kotlin.jvm.JvmField
import kotlin.jvm.JvmStatic

/** What a read may miss of what was written. */
public sealed class Consistency {
    /** Whatever a replica has. */
    public class Eventual internal constructor() : Consistency() {
        override fun toString(): String = "Eventual"
    }

    /**
     * Nothing older than that: a replica that is further behind does not serve the read.
     *
     * @property millis milliseconds, at least 1.
     */
    public class MaxLag(public val millis: Long) : Consistency() {
        init {
            require(millis >= 1) { "millis must be at least 1, was $millis" }
        }

        override fun toString(): String = "MaxLag($millis ms)"
    }

    /** Everything up to the write that gave [token]. */
    public class ReadYourWrites(public val token: WriteToken) : Consistency() {
        override fun toString(): String = "ReadYourWrites($token)"
    }

    /** Everything: the primary. */
    public class Latest internal constructor() : Consistency() {
        override fun toString(): String = "Latest"
    }

    public companion object {
        @JvmField
        public val EVENTUAL: Consistency = Eventual()

        @JvmField
        public val LATEST: Consistency = Latest()

        /** @see MaxLag */
        @JvmStatic
        public fun maxLag(millis: Long): Consistency = MaxLag(millis)

        /** @see ReadYourWrites */
        @JvmStatic
        public fun readYourWrites(token: WriteToken): Consistency = ReadYourWrites(token)
    }
}

/**
 * Where the primary's log stood after a write. May be sent to another process, as text.
 *
 * @property text what the platform calls the place: a log sequence number, a set of transactions. Empty if it could not be
 *   had: then only the primary has it for certain.
 */
public class WriteToken(public val text: String) {
    override fun equals(other: Any?): Boolean = other is WriteToken && other.text == text

    override fun hashCode(): Int = text.hashCode()

    override fun toString(): String = text.ifEmpty { "unknown" }

    public companion object {
        /** A place nobody knows. */
        @JvmField
        public val UNKNOWN: WriteToken = WriteToken("")
    }
}

/**
 * What a write returned, and where it can be read.
 *
 * @property value of the block.
 * @property token for [Consistency.ReadYourWrites].
 */
public class Written<out R>(public val value: R, public val token: WriteToken)

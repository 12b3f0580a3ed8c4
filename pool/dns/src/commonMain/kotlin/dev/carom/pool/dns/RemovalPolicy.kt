package dev.carom.pool.dns

import kotlin.jvm.JvmField

/**
 * When a backend goes that was listed before and is not any longer.
 *
 * It decides about *answers*: a failed question never counts against a backend. A denial of the whole name counts once
 * it is believed, as [DnsPolicy.negativesToBelieve] answers at once. What is kept is bounded by [DnsPolicy.maxKept].
 */
public sealed interface RemovalPolicy {
    /** With the first answer that lacks it. The answers are the truth: right for SRV, and for Kubernetes. */
    public data object Immediate : RemovalPolicy {
        override fun toString(): String = "immediate"
    }

    /**
     * With the [misses]th answer in a row that lacks it.
     *
     * @property misses 1..1000; 1 is [Immediate].
     */
    public class AfterMisses(public val misses: Int) : RemovalPolicy {
        init {
            require(misses in 1..MAX_MISSES) { "misses must be in 1..$MAX_MISSES, was $misses" }
        }

        override fun toString(): String = "after $misses misses"

        private companion object {
            const val MAX_MISSES = 1_000
        }
    }

    /**
     * When it is absent *and* not healthy, as [BackendHealth] sees it: for servers that list a part of what there is,
     * and another part each time. Absent is not dead.
     */
    public data object HealthGated : RemovalPolicy {
        override fun toString(): String = "when not healthy"
    }

    /** Not at all. */
    public data object Never : RemovalPolicy {
        override fun toString(): String = "never"
    }

    /** The same from Java, without `INSTANCE`. */
    public companion object {
        /** [Immediate]. */
        @JvmField
        public val IMMEDIATE: RemovalPolicy = Immediate

        /** [HealthGated]. */
        @JvmField
        public val HEALTH_GATED: RemovalPolicy = HealthGated

        /** [Never]. */
        @JvmField
        public val NEVER: RemovalPolicy = Never
    }
}

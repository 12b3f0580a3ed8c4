package dev.carom.storage.sql

import dev.carom.storage.ErrorCategory

/**
 * What a SQLSTATE means, for adapters. The classes are those of ISO/IEC 9075-2 section 24; the single states are the
 * standard's, and those of PostgreSQL, MySQL and H2 where they say the same.
 */
public object SqlStates {
    /** The kind of failure; [ErrorCategory.OTHER] of a state that is not known. */
    public fun category(state: String): ErrorCategory =
        STATES[state] ?: CLASSES[state.take(2)] ?: ErrorCategory.OTHER

    private val STATES = mapOf(
        "40001" to ErrorCategory.SERIALIZATION,
        "40P01" to ErrorCategory.DEADLOCK,
        "23505" to ErrorCategory.UNIQUE,
        "23503" to ErrorCategory.FOREIGN_KEY,
        "23506" to ErrorCategory.FOREIGN_KEY,
        "23502" to ErrorCategory.NOT_NULL,
        "23514" to ErrorCategory.CHECK,
        "23513" to ErrorCategory.CHECK,
        "25006" to ErrorCategory.READ_ONLY,
        "57014" to ErrorCategory.CANCELLED,
        "70100" to ErrorCategory.CANCELLED,
        "HY008" to ErrorCategory.CANCELLED,
        "57P01" to ErrorCategory.CONNECTION,
        "57P02" to ErrorCategory.CONNECTION,
        "57P03" to ErrorCategory.CONNECTION,
        "HYT00" to ErrorCategory.TIMEOUT,
        "HYT01" to ErrorCategory.TIMEOUT,
    )

    private val CLASSES = mapOf(
        "08" to ErrorCategory.CONNECTION,
        "28" to ErrorCategory.AUTH,
        "42" to ErrorCategory.SYNTAX,
        "53" to ErrorCategory.RESOURCE,
    )
}

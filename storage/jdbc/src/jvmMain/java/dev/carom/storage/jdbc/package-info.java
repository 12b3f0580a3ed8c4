/**
 * Relational storage over any JDBC driver. From Java: {@link dev.carom.storage.jdbc.BlockingJdbc}. No type here is null
 * unless it says so.
 */
@NullMarked
package dev.carom.storage.jdbc;

import org.jspecify.annotations.NullMarked;

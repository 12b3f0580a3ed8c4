/** Reads on replicas that are far enough, writes on the primary, over JDBC. No type here is null unless it says so. */
@NullMarked
package dev.carom.storage.jdbc.split;

import org.jspecify.annotations.NullMarked;

/** Reads on replicas that are far enough, writes on the primary. No type here is null unless it says so. */
@NullMarked
package dev.carom.storage.split;

import org.jspecify.annotations.NullMarked;

/**
 * Storage on a Carom pool. Needs {@code carom-pool} on the class path, which {@code carom-storage} alone does not bring. No
 * type here is null unless it says so.
 */
@NullMarked
package dev.carom.storage.pooled;

import org.jspecify.annotations.NullMarked;

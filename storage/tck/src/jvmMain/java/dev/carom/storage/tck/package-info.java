/**
 * What every storage adapter must do, as cases that it runs against itself: {@link dev.carom.storage.tck.StorageTck}.
 * No type here is null unless it says so.
 */
@NullMarked
package dev.carom.storage.tck;

import org.jspecify.annotations.NullMarked;

/** See {@link dev.carom.storage}. No type here is null unless it says so. */
@NullMarked
package dev.carom.storage.keyvalue;

import org.jspecify.annotations.NullMarked;

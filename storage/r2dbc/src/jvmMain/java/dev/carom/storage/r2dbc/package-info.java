/**
 * Relational storage over any R2DBC driver. From Java: {@link dev.carom.storage.r2dbc.BlockingR2dbc}. No type here is
 * null unless it says so.
 */
@NullMarked
package dev.carom.storage.r2dbc;

import org.jspecify.annotations.NullMarked;

/**
 * TCP and Unix-domain connections for a pool, on ktor-network.
 *
 * <p>Kotlin callers read and write ktor's channels, Java callers plain streams.
 */
@NullMarked
package dev.carom.pool.net;

import org.jspecify.annotations.NullMarked;

/**
 * TCP, TLS and Unix-domain connections for a pool, on ktor-network; TLS on the JDK's {@code SSLEngine}, for either side and
 * over any pair of channels.
 *
 * <p>Kotlin callers read and write ktor's channels, Java callers plain streams.
 */
@NullMarked
package dev.carom.pool.net;

import org.jspecify.annotations.NullMarked;

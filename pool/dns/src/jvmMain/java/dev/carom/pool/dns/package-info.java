/** Backends from DNS: SRV, then A and AAAA, kept fresh by TTL and kept through failures. */
@NullMarked
package dev.carom.pool.dns;

import org.jspecify.annotations.NullMarked;

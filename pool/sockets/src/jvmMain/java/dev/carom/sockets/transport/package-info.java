/** What carries the bytes of sockets: transports, links and their addresses. */
@NullMarked
package dev.carom.sockets.transport;

import org.jspecify.annotations.NullMarked;

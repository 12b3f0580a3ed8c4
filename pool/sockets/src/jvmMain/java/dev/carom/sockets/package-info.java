/** The scalability protocols: message sockets that dial a service instead of an address. */
@NullMarked
package dev.carom.sockets;

import org.jspecify.annotations.NullMarked;

@file:JvmName("Inproc")

package dev.carom.sockets.transport

import dev.carom.sockets.internal.JvmGuards
import dev.carom.sockets.internal.inproc.InprocTransport

/**
 * `inproc://name`: sockets of this process, in whatever order they bind and connect. Names are compared byte for byte, and
 * are the same for all who call this. There is no thread in between: whoever sends hands the message over.
 */
public fun inprocTransport(): Transport = ofTheProcess

private val ofTheProcess = InprocTransport(JvmGuards)

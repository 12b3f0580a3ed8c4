package dev.carom.sockets.transport

import dev.carom.sockets.SocketException

/** Reads one URL. */
internal class AddressParser(private val url: String) {
    val scheme: String
    private val rest: String

    init {
        val at = url.indexOf("://")
        if (at <= 0) refuse("it must begin with a scheme and ://")
        scheme = url.substring(0, at).lowercase()
        rest = url.substring(at + "://".length)
    }

    fun parse(addressing: Addressing, bind: Boolean): SocketAddress {
        if (url.length >
            MOST_CHARACTERS
        ) {
            refuse("it has ${url.length} characters, at most $MOST_CHARACTERS are allowed")
        }
        if (rest.isEmpty()) refuse("nothing stands behind ://")
        return when (addressing) {
            Addressing.HostPort -> hostPort(bind)
            Addressing.Path -> path()
            Addressing.Name -> SocketAddress.path(scheme, rest)
        }
    }

    private fun path(): SocketAddress {
        if ('\u0000' in rest) refuse("a path has no NUL")
        val size = rest.encodeToByteArray().size
        if (size > MOST_PATH) refuse("the path has $size bytes, at most $MOST_PATH are allowed")
        return SocketAddress.path(scheme, rest)
    }

    private fun hostPort(bind: Boolean): SocketAddress {
        val semicolon = rest.indexOf(';')
        if (semicolon >= 0 && bind) refuse("only to connect there is a local address")
        val local = if (semicolon < 0) null else address(rest.substring(0, semicolon))
        val remote = rest.substring(semicolon + 1)
        val colon = remote.lastIndexOf(':')
        if (colon < 0 || colon < remote.lastIndexOf(']')) refuse("the port is missing")
        val port = port(remote.substring(colon + 1), bind)
        val host = remote.substring(0, colon)
        return SocketAddress.hostPort(scheme, if (bind && host in ANY) host else host(host), port, local)
    }

    private fun port(text: String, bind: Boolean): Int {
        val port = if (text.length in 1..MOST_DIGITS && text.all { it in '0'..'9' }) text.toInt() else -1
        val least = if (bind) 0 else 1
        if (port !in least..MOST_PORT) refuse("the port must be in $least..$MOST_PORT, was \"$text\"")
        return port
    }

    private fun host(text: String): String = when {
        text.isEmpty() -> refuse("the host is missing")
        text == "*" -> refuse("* is no host to connect to")
        text.startsWith('[') || ':' in text -> v6(text)
        else -> text.also { checkName(it) }
    }

    private fun v6(text: String): String {
        if (!text.startsWith('[') || !text.endsWith(']')) refuse("an IPv6 address stands in brackets")
        val address = text.substring(1, text.length - 1)
        val digits = address.substringBefore('%')
        if (':' !in digits || digits.any { it !in '0'..'9' && it.lowercaseChar() !in 'a'..'f' && it !in ":." }) {
            refuse("$text is no IPv6 address")
        }
        return address
    }

    /** A numeric address of our own: never a name, so that nothing is looked up. */
    private fun address(text: String): String {
        if (text.startsWith('[')) return v6(text)
        val octets = text.split('.')
        if (octets.size != OCTETS || octets.any { (it.toIntOrNull() ?: -1) !in 0..MOST_OCTET }) {
            refuse("the local address must be numeric, was \"$text\"")
        }
        return text
    }

    /** RFC 1123, section 2.1: letters, digits and hyphens, the latter neither first nor last; RFC 1035: the lengths. */
    private fun checkName(name: String) {
        if (name.length >
            MOST_NAME
        ) {
            refuse("the host name has ${name.length} characters, at most $MOST_NAME are allowed")
        }
        for (label in name.removeSuffix(".").split('.')) {
            when {
                label.isEmpty() -> refuse("the host name has an empty label")

                label.length > MOST_LABEL -> refuse("the label \"$label\" is longer than $MOST_LABEL characters")

                label.startsWith(
                    '-',
                ) || label.endsWith('-') -> refuse("the label \"$label\" begins or ends with a hyphen")

                label.any { it !in 'a'..'z' && it !in 'A'..'Z' && it !in '0'..'9' && it != '-' && it != '_' } ->
                    refuse("the label \"$label\" has characters that no host name has")
            }
        }
    }

    private fun refuse(reason: String): Nothing = throw SocketException.InvalidAddress(url, reason)

    private companion object {
        val ANY = setOf("", "*")
        const val MOST_CHARACTERS = 1024
        const val MOST_DIGITS = 5
        const val MOST_PORT = 65_535
        const val MOST_NAME = 255
        const val MOST_LABEL = 63
        const val OCTETS = 4
        const val MOST_OCTET = 255

        /** What fits into `sun_path` with its end. */
        const val MOST_PATH = 107
    }
}

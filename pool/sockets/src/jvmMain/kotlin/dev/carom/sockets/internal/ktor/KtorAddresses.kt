package dev.carom.sockets.internal.ktor

import dev.carom.sockets.SocketException
import dev.carom.sockets.transport.SocketAddress
import io.ktor.network.selector.SelectorManager
import io.ktor.network.sockets.InetSocketAddress
import io.ktor.network.sockets.UnixSocketAddress
import io.ktor.network.sockets.aSocket
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import java.io.IOException
import java.net.InetAddress
import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.Path
import java.nio.file.attribute.BasicFileAttributes
import io.ktor.network.sockets.SocketAddress as KtorAddress

/** What ktor calls the places that our addresses lead to. */
internal interface KtorAddresses {
    /** Where to connect: one after another. */
    suspend fun targets(address: SocketAddress): List<KtorAddress>

    /** Where to listen. */
    suspend fun place(address: SocketAddress): KtorAddress

    /** [place] is taken: makes it free if nobody is there. @throws SocketException.AddressInUse if somebody is. */
    suspend fun vacate(address: SocketAddress, selector: SelectorManager, cause: IOException)

    /** [address], where it is [bound] to. */
    fun bound(address: SocketAddress, bound: KtorAddress): SocketAddress

    /** Nobody listens there any more. */
    fun left(address: SocketAddress)

    /** @param lookUp the addresses of a name; may block, for ever if it likes. */
    class Tcp(private val lookUp: (String) -> List<InetAddress> = { InetAddress.getAllByName(it).toList() }) :
        KtorAddresses {
        override suspend fun targets(address: SocketAddress): List<KtorAddress> {
            if (address.local != null) throw IOException("$address: this engine cannot choose the local address")
            return addressesOf(address.host).map { InetSocketAddress(it.hostAddress, address.port) }
        }

        override suspend fun place(address: SocketAddress): KtorAddress {
            val host = if (address.host in ANY) "::" else addressesOf(address.host).first().hostAddress
            return InetSocketAddress(host, address.port)
        }

        override suspend fun vacate(address: SocketAddress, selector: SelectorManager, cause: IOException) =
            throw SocketException.AddressInUse(address.toString(), cause)

        override fun bound(address: SocketAddress, bound: KtorAddress): SocketAddress =
            address.withPort((bound as InetSocketAddress).port)

        override fun left(address: SocketAddress) = Unit

        /** Left alone when nobody wants the answer any more: a lookup cannot be interrupted, and takes its time. */
        private suspend fun addressesOf(host: String): List<InetAddress> =
            CoroutineScope(Dispatchers.IO).async { lookUp(host) }.await()

        private companion object {
            val ANY = setOf("", "*")
        }
    }

    object Ipc : KtorAddresses {
        override suspend fun targets(address: SocketAddress): List<KtorAddress> = listOf(place(address))

        override suspend fun place(address: SocketAddress): KtorAddress = UnixSocketAddress(address.path)

        override suspend fun vacate(address: SocketAddress, selector: SelectorManager, cause: IOException) {
            val path = Path.of(address.path)
            if (!isSocket(path) || answers(address, selector)) {
                throw SocketException.AddressInUse(address.toString(), cause)
            }
            Files.deleteIfExists(path)
        }

        override fun bound(address: SocketAddress, bound: KtorAddress): SocketAddress = address

        override fun left(address: SocketAddress) {
            Files.deleteIfExists(Path.of(address.path))
        }

        private fun isSocket(path: Path): Boolean = try {
            Files.readAttributes(path, BasicFileAttributes::class.java, LinkOption.NOFOLLOW_LINKS).isOther
        } catch (_: IOException) {
            false
        }

        private suspend fun answers(address: SocketAddress, selector: SelectorManager): Boolean = try {
            aSocket(selector).tcp().connect(place(address)).close()
            true
        } catch (_: IOException) {
            false
        }
    }
}

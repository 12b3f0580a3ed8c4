package dev.carom.sockets.internal.inproc

import dev.carom.sockets.internal.JvmGuards
import dev.carom.sockets.transport.Door
import dev.carom.sockets.transport.End
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.bounded
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe

class InprocTransportTest :
    FunSpec({
        val address = SocketAddress.path("inproc", "door")

        fun InprocTransport.dial(here: End = End()) = here.also { dial(address, LinkOptions(), it) }

        test("a listener that is closed while somebody comes hears of the end after that one") {
            val transport = InprocTransport(JvmGuards)
            lateinit var close: () -> Unit
            lateinit var door: Door
            var toldBefore = true
            door = Door { _ ->
                close()
                transport.dial().closed.isCompleted shouldBe true
                toldBefore = door.closed.isCompleted
                null
            }
            close = transport.listen(address, LinkOptions(), door)::close
            val here = transport.dial()
            toldBefore shouldBe false
            bounded { door.closed.await() } shouldBe null
            bounded { door.came.receive().open.await() }
            bounded { here.open.await() }.close()
            close()
            // The name is free.
            val next = Door()
            transport.listen(address, LinkOptions(), next).close()
            bounded { next.closed.await() } shouldBe null
        }

        test("a link that is closed before somebody hears it tells both sides") {
            val transport = InprocTransport(JvmGuards)
            val door = Door { link -> null.also { link.close() } }
            val listener = transport.listen(address, LinkOptions(), door)
            val here = transport.dial()
            val there = bounded { door.came.receive() }
            bounded { there.closed.await() } shouldBe null
            there.open.isCompleted shouldBe false
            bounded { here.ended.await() }
            bounded { here.open.await() }.close()
            bounded { here.closed.await() } shouldBe null
            listener.close()
        }
    })

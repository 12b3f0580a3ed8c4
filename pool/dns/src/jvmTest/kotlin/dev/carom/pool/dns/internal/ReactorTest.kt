package dev.carom.pool.dns.internal

import dev.carom.pool.testkit.LeakCheck
import io.kotest.core.spec.style.FunSpec
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import java.net.InetAddress
import java.net.InetSocketAddress

class ReactorTest :
    FunSpec({
        val nobody = InetSocketAddress(InetAddress.getLoopbackAddress(), 9)
        val ways = mapOf<String, suspend () -> ByteArray>(
            "UDP" to { overUdp(nobody, ByteArray(12), 512) },
            "TCP" to { overTcp(nobody, ByteArray(12)) },
        )
        for ((way, ask) in ways) {
            test("a question over $way whose asker had gone before it was asked leaves no thread") {
                val leaks = LeakCheck()
                coroutineScope {
                    launch(start = CoroutineStart.UNDISPATCHED) {
                        cancel()
                        ask()
                    }
                }
                leaks.check()
            }
        }
    })

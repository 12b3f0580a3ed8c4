package dev.carom.pool.dns

import io.kotest.core.spec.style.FunSpec
import io.kotest.core.test.Enabled
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import java.io.File

/** Real servers on loopback, real packets; the table is in `src/jvmTest/resources/conformance`. */
class DnsConformanceTest :
    FunSpec({
        val files = File("src/jvmTest/resources/conformance").listFiles().orEmpty().sortedBy { it.name }
        val fixtures = files.flatMap { file -> Fixture.read(file.readText()).map { file.nameWithoutExtension to it } }
        for ((topic, fixture) in fixtures) {
            val ipv6 = "a name server may have an IPv6 address" !in fixture.title || hasIpv6()
            val enabled = if (ipv6) Enabled.enabled else Enabled.disabled("this machine has no ::1")
            test("$topic: ${fixture.title}").config(enabledOrReasonIf = { enabled }) { fixture.run() }
        }

        test("the table has at least 60 rows") {
            fixtures.size shouldBeGreaterThanOrEqual 60
        }
    }) {
    private companion object {
        fun hasIpv6(): Boolean = File("/proc/net/if_inet6").let { it.isFile && it.readText().isNotBlank() }
    }
}

package dev.carom.pool.testkit

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import org.xbill.DNS.DClass
import org.xbill.DNS.Flags
import org.xbill.DNS.Message
import org.xbill.DNS.Name
import org.xbill.DNS.Rcode
import org.xbill.DNS.Record
import org.xbill.DNS.Section
import org.xbill.DNS.SimpleResolver
import org.xbill.DNS.Type
import java.io.IOException
import java.time.Duration
import kotlin.time.Duration.Companion.seconds

class DnsTestServerTest :
    FunSpec({
        test("one line publishes a process: its SRV record, and its address along with it") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().ttl(5).instance("_db._tcp.test", "a.test", "10.0.0.1", 5432)
                val answer = dns.ask("_db._tcp.test.", Type.SRV)
                answer.getSection(Section.ANSWER).single().ttl shouldBe 5
                answer.getSection(Section.ADDITIONAL).count { it.type == Type.A } shouldBe 1
                dns.additional = false
                val alone = dns.ask("_db._tcp.test.", Type.SRV)
                alone.getSection(Section.ADDITIONAL).none { it.type == Type.A } shouldBe true
                dns.questions shouldContainExactly List(2) { DnsTestQuestion("_db._tcp.test.", "SRV", tcp = false) }
            }
        }

        test("an answer too large for the client is cut over UDP and whole over TCP") {
            DnsTestServer().use { dns ->
                dns.zone = (1..200).fold(DnsZone()) { zone, n -> zone.address("a.test", "10.0.0.$n") }
                val cut = dns.ask("a.test.", Type.A) { ignoreTruncation = true }
                cut.header.getFlag(Flags.TC.toInt()) shouldBe true
                dns.ask("a.test.", Type.A).getSection(Section.ANSWER).size shouldBe 200
                (dns.udpCount to dns.tcpCount) shouldBe (2 to 1)
            }
        }

        test("a name that is missing, and a record that is missing, are told apart and carry an SOA") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().address("a.b.test", "10.0.0.1")
                dns.ask("x.test.", Type.A).rcode shouldBe Rcode.NXDOMAIN
                val empty = dns.ask("b.test.", Type.A)
                empty.rcode shouldBe Rcode.NOERROR
                empty.getSection(Section.AUTHORITY).single().type shouldBe Type.SOA
            }
        }

        test("a delayed answer comes, and a withheld one does not") {
            DnsTestServer().use { dns ->
                dns.zone = DnsZone().address("a.test", "10.0.0.1")
                dns.delayMillis = 20
                dns.ask("a.test.", Type.A).rcode shouldBe Rcode.NOERROR
                dns.behaviour = DnsBehaviour.HANG
                shouldThrow<IOException> { dns.ask("a.test.", Type.A) { timeout = Duration.ofMillis(50) } }
                // The question may still be on its way when nobody waits for its answer any more.
                eventually(20.seconds) { dns.questions.size shouldBe 2 }
                dns.forget()
                dns.questions.shouldBeEmpty()
            }
        }

        test("closing ends every thread, also those with a client or a delayed answer") {
            val dns = DnsTestServer()
            dns.ask("a.test.", Type.A) { tcp = true }
            dns.close()
            val threads = Thread.getAllStackTraces().keys.filter { it.name == "dns-test-server-${dns.port}" }
            // The executor has let go of them; the last instructions of a thread come after that.
            threads.onEach { it.join(30_000) }.filter { it.isAlive }.shouldBeEmpty()
            dns.close()
        }
    }) {
    private companion object {
        fun DnsTestServer.ask(name: String, type: Int, how: SimpleResolver.() -> Unit = {}): Message =
            SimpleResolver(address).apply(how).send(Message.newQuery(Record.newRecord(Name(name), type, DClass.IN)))
    }
}

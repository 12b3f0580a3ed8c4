package dev.carom.pool.dns

import dev.carom.pool.testkit.DnsBehaviour
import dev.carom.pool.testkit.DnsTestServer
import dev.carom.pool.testkit.DnsZone
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.seconds

/** For each: name, search list, ndots, the name that exists (or none), and the names asked, in order. */
class DnsSearchListTest :
    FunSpec({
        val k8s = "ns.svc.cluster.local svc.cluster.local cluster.local"
        val table = listOf(
            Case("db.", "a.test b.test", 1, "db", "db."),
            Case("db.shop.test.", "a.test", 5, "", "db.shop.test."),
            Case("db", "", 1, "db", "db."),
            Case("db", "a.test", 1, "db.a.test", "db.a.test."),
            Case("db", "a.test b.test", 1, "db.b.test", "db.a.test. db.b.test."),
            Case("db", "a.test b.test", 1, "db", "db.a.test. db.b.test. db."),
            Case("db", "a.test b.test", 1, "", "db.a.test. db.b.test. db."),
            Case("db", "a.test", 0, "db", "db."),
            Case("db", "a.test", 0, "db.a.test", "db. db.a.test."),
            Case("db.shop", "a.test", 1, "db.shop", "db.shop."),
            Case("db.shop", "a.test", 1, "db.shop.a.test", "db.shop. db.shop.a.test."),
            Case("db.shop", "a.test", 2, "db.shop.a.test", "db.shop.a.test."),
            Case("db.shop", "a.test", 2, "db.shop", "db.shop.a.test. db.shop."),
            Case("db.shop.x", "a.test", 2, "db.shop.x", "db.shop.x."),
            Case("db", k8s, 5, "db.ns.svc.cluster.local", "db.ns.svc.cluster.local."),
            Case("db.x", k8s, 5, "db.x.svc.cluster.local", "db.x.ns.svc.cluster.local. db.x.svc.cluster.local."),
            Case(
                "gmail.com",
                k8s,
                5,
                "gmail.com",
                "gmail.com.ns.svc.cluster.local. gmail.com.svc.cluster.local. gmail.com.cluster.local. gmail.com.",
            ),
            Case("a.b.c.d.e.f", k8s, 5, "a.b.c.d.e.f", "a.b.c.d.e.f."),
            Case("db", "a.test.", 1, "db.a.test", "db.a.test."),
            Case("db", ".", 1, "db", "db."),
            Case("db", "a.test a.test", 1, "", "db.a.test. db."),
            Case("d".repeat(64), "a.test", 1, "", ""),
        )
        for (case in table) {
            test("\"${case.name}\", search [${case.search}], ndots ${case.ndots}, finds \"${case.exists}\"") {
                DnsTestServer().use { dns ->
                    if (case.exists.isNotEmpty()) dns.zone = DnsZone().address(case.exists, "10.0.0.1")
                    val search = case.search.split(" ").filter { it.isNotEmpty() }
                    val answer = DnsjavaLookup(DnsConfig(listOf(dns.address), search, case.ndots), PATIENT)
                        .ask(DnsQuestion(case.name, DnsType.A))
                    dns.questions.map { it.name } shouldContainExactly case.asked.split(" ").filter { it.isNotEmpty() }
                    (answer is DnsAnswer.Records) shouldBe case.exists.isNotEmpty()
                }
            }
        }

        test("a failure ends the search") {
            DnsTestServer().use { dns ->
                dns.behaviour = DnsBehaviour.SERVFAIL
                DnsjavaLookup(DnsConfig(listOf(dns.address), listOf("a.test")), PATIENT)
                    .ask(DnsQuestion("db", DnsType.A))
                dns.questions.map { it.name } shouldContainExactly listOf("db.a.test.")
            }
        }
    }) {
    private companion object {
        /** However busy the machine is, no question is asked a second time. */
        val PATIENT = DnsPolicy(serverTimeout = 30.seconds, roundTimeout = 60.seconds, attempts = 1)
    }

    private class Case(val name: String, val search: String, val ndots: Int, val exists: String, val asked: String)
}

package dev.carom.pool.dns

import dev.carom.pool.Backend
import io.kotest.core.spec.style.FunSpec
import io.kotest.core.test.Enabled
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.io.File
import java.io.IOException
import java.net.DatagramSocket
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.nio.file.Files
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class DnsBindTest :
    FunSpec({
        test("bind9: a zone rewritten while we look is followed").config(enabledOrReasonIf = { interop() }) {
            withContext(Dispatchers.IO) {
                Bind9().use { bind ->
                    bind.write(serial = 1, hosts = 1)
                    bind.start()
                    val resolver = DnsResolver(bind.lookup(), "shop.test.", "_db._tcp", 0, POLICY)
                    val seen = withTimeout(60.seconds) {
                        resolver.backends().onEach { if (it.size == 1) bind.write(2, hosts = 60) }.take(2).toList()
                    }
                    seen.map { it.size } shouldBe listOf(1, 60)
                    seen[0] shouldBe setOf(Backend("h1.shop.test", "10.0.0.1", 5432, priority = 1, weight = 2))
                }
            }
        }

        test("bind9: aliases are followed, and a missing name is missing").config(enabledOrReasonIf = { interop() }) {
            withContext(Dispatchers.IO) {
                Bind9().use { bind ->
                    bind.write(serial = 1, hosts = 2)
                    bind.start()
                    val alias = DnsResolver(bind.lookup(), "alias.shop.test.", null, 80, POLICY)
                    withTimeout(30.seconds) { alias.backends().first() }.map { it.host } shouldBe listOf("10.0.0.2")
                    bind.lookup().ask(DnsQuestion("none.shop.test.", DnsType.A)) shouldBe DnsAnswer.NoName(1)
                    bind.lookup().ask(DnsQuestion("h1.shop.test.", DnsType.AAAA)) shouldBe DnsAnswer.NoData(1)
                }
            }
        }
    }) {
    private companion object {
        val POLICY = DnsPolicy(minInterval = 100.milliseconds, retryStart = 100.milliseconds)
        val NAMED = File("/usr/sbin/named")

        fun interop(): Enabled = when {
            !System.getProperty("carom.interop").toBoolean() -> Enabled.disabled("set -Dcarom.interop=true to run it")
            !NAMED.canExecute() -> Enabled.disabled("bind9 is not installed: no $NAMED")
            else -> Enabled.enabled
        }
    }

    /** A name server of its own: a directory, a port, a process. */
    private class Bind9 : AutoCloseable {
        private val directory = Files.createTempDirectory("carom-bind").toFile()
        private val loopback = InetAddress.getByAddress(byteArrayOf(127, 0, 0, 1))
        private var port = 0
        private var process: Process? = null

        fun lookup() = DnsjavaLookup(DnsConfig(listOf(InetSocketAddress(loopback, port))), POLICY)

        /** Another process may take the port before named does: then named ends, and gets another one. */
        suspend fun start() = withTimeout(60.seconds) {
            do startNamed() while (!answers())
        }

        private suspend fun answers(): Boolean {
            while (process?.isAlive == true) {
                if (lookup().ask(APEX) !is DnsAnswer.Failed) return true
                delay(50.milliseconds)
            }
            return false
        }

        private fun startNamed() {
            port = freePort()
            File(directory, "named.conf").writeText(
                """
                options {
                    directory "$directory"; pid-file none; session-keyfile none;
                    listen-on port $port { 127.0.0.1; }; listen-on-v6 { none; };
                    recursion no; dnssec-validation no; allow-transfer { none; };
                };
                controls { };
                zone "shop.test" { type primary; file "shop.zone"; };
                """.trimIndent(),
            )
            process = ProcessBuilder(NAMED.path, "-g", "-c", "$directory/named.conf")
                .redirectErrorStream(true).redirectOutput(File(directory, "log")).start()
        }

        private fun freePort(): Int = generateSequence { PORTS.random() }.first {
            try {
                ServerSocket(it, 1, loopback).close()
                DatagramSocket(it, loopback).close()
                true
            } catch (_: IOException) {
                false
            }
        }

        /** The new zone is whole before the server is told: a rename, then SIGHUP. */
        fun write(serial: Int, hosts: Int) {
            val next = File(directory, "next")
            val records = (1..hosts).joinToString("\n") { "_db._tcp SRV 1 2 5432 h$it\nh$it A 10.0.0.$it" }
            next.writeText(
                "\$TTL 1\n@ SOA ns root $serial 60 60 60 1\n@ NS ns\nns A 127.0.0.1\nalias CNAME h2\n$records\n",
            )
            // Clearly newer than what was loaded: the times of files are some milliseconds late, and named compares.
            check(next.setLastModified(System.currentTimeMillis() + 10_000L * serial))
            check(next.renameTo(File(directory, "shop.zone")))
            process?.let { ProcessBuilder("kill", "-HUP", "${it.pid()}").start().waitFor() }
        }

        override fun close() {
            process?.destroy()
            process?.let { if (!it.waitFor(5, TimeUnit.SECONDS)) it.destroyForcibly().waitFor() }
            directory.deleteRecursively()
        }

        private companion object {
            /** Below those that the system gives to who asks for any, as our own questions do. */
            val PORTS = 20_000..32_000
            val APEX = DnsQuestion("ns.shop.test.", DnsType.A)
        }
    }
}

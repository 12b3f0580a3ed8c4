package dev.carom.pool.net

import dev.carom.pool.Backend
import dev.carom.pool.BackoffPolicy
import dev.carom.pool.PoolException
import dev.carom.pool.PoolPolicy
import dev.carom.pool.fixedResolver
import dev.carom.pool.openPool
import dev.carom.pool.testkit.FaultProxy
import dev.carom.pool.testkit.TestCertificates
import dev.carom.pool.use
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.ktor.utils.io.readByteArray
import io.ktor.utils.io.writeByteArray
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** A service of three addresses and one name, as an SRV record lists it, behind a real pool. */
class TlsPoolTest :
    FunSpec({
        val authority = TestCertificates("Shop CA")
        val name = "db.shop.test"
        val hosts = listOf("127.0.0.1", "127.0.0.2", "127.0.0.3")
        val hello = "hello".encodeToByteArray()
        val tls = TlsPolicy(TlsTrust.certificates(listOf(authority.certificate)), handshakeTimeout = 20.seconds)
        val tcp = TcpPolicy(connectTimeout = 30.seconds)
        val policy = PoolPolicy(
            spares = 6,
            maxSlots = 6,
            claimTimeout = 10.seconds,
            connectTimeout = 30.seconds,
            backoff = BackoffPolicy(start = 1.minutes, max = 1.minutes),
        )

        suspend fun inScope(use: suspend CoroutineScope.() -> Unit) = leavingNothing {
            val scope = CoroutineScope(Dispatchers.Default + Job())
            try {
                withTimeout(60.seconds) { scope.use() }
            } finally {
                scope.cancel()
                scope.coroutineContext[Job]!!.join()
            }
        }

        suspend fun TcpConnection.echoes() {
            output.writeByteArray(hello)
            output.flush()
            input.readByteArray(hello.size) shouldBe hello
        }

        test("all three addresses prove the name they are listed under") {
            inScope {
                val peers = hosts.map { TlsPeer.tls(authority.issue(name), it) }
                val backends = peers.map { it.backend(name) }.toTypedArray()
                val pool = openPool("tls", fixedResolver(*backends), TcpConnector(tcp, tls), policy)
                pool.snapshot.first { it.backends.size == 3 && it.backends.all { b -> b.online } }
                repeat(30) { pool.use { it.echoes() } }
                pool.close(0)
                peers.forEach { it.close() }
            }
        }

        test("an impostor among them is backed off and gets nothing, the others serve") {
            inScope {
                val peers = hosts.mapIndexed { i, host ->
                    TlsPeer.tls(authority.issue(if (i == 1) "evil.test" else name), host)
                }
                FaultProxy(peers[1].address).use { watched ->
                    val impostor = peers[1].backend(name, watched.address)
                    val backends = listOf(peers[0].backend(name), impostor, peers[2].backend(name))
                    val pool =
                        openPool("tls", fixedResolver(*backends.toTypedArray()), TcpConnector(tcp, tls), policy)
                    val failed = pool.snapshot.first {
                        it.backends.any { b ->
                            b.backend == impostor && b.failures > 0 &&
                                b.backingOff > 0
                        }
                    }
                    failed.of(impostor).lastError!! shouldContain "is for [evil.test], not for \"$name\""
                    repeat(30) {
                        pool.claim().let { claim ->
                            (claim.backend == impostor) shouldBe false
                            claim.connection.echoes()
                            claim.close()
                        }
                    }
                    // Each slot once; then a minute of backoff.
                    watched.accepted shouldBeLessThanOrEqual policy.maxSlots
                    pool.close(0)
                }
                peers.forEach { it.close() }
            }
        }

        test("a claim that only an impostor could serve says why there is none") {
            inScope {
                TlsPeer.tls(authority.issue("evil.test")).use { peer ->
                    val hasty =
                        PoolPolicy(claimTimeout = 1.seconds, connectTimeout = 900.seconds, backoff = policy.backoff)
                    val backend = peer.backend(name)
                    val pool = openPool("tls", fixedResolver(backend), TcpConnector(tcp, tls), hasty)
                    pool.snapshot.first { it.backends.any { b -> b.failures > 0 } }
                    val failure = shouldThrow<PoolException.NoneOnline> { pool.claim() }
                    failure.lastErrors.getValue(backend).shouldBeInstanceOf<TcpException.TlsIdentity>()
                    pool.close(0)
                }
            }
        }
    })

private fun dev.carom.pool.PoolSnapshot.of(backend: Backend) = backends.first { it.backend == backend }

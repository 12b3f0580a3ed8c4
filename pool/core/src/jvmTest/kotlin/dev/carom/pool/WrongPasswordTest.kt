package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours

class WrongPasswordTest :
    FunSpec({
        test("a wrong password for an hour is tried twenty times at most, and is never printed") {
            runTest {
                val canary = "c4n4ry-password"
                val provider = CredentialsProvider { Credentials("app", Secret.of(canary)) }
                val backend = Backend("db", "10.0.0.1", 5432)
                var attempts = 0
                val refusing = object : Connector<Unit> {
                    override suspend fun connect(backend: Backend) {
                        attempts++
                        val credentials = provider.credentials(backend)
                        throw AuthenticationFailed("$backend refused $credentials")
                    }

                    override suspend fun close(connection: Unit) = Unit
                }
                val pool = openPool(
                    "locked out",
                    fixedResolver(backend),
                    refusing,
                    PoolPolicy(),
                    testScheduler.timeSource,
                    Random(1),
                )
                val text = mutableListOf<String>()
                val notices = launch(start = CoroutineStart.UNDISPATCHED) {
                    pool.notices.collect { text += it.toString() }
                }
                val refused = shouldThrow<PoolException.NoneOnline> { pool.claim() }
                refused.cause.shouldBeInstanceOf<AuthenticationFailed>()
                delay(1.hours)
                attempts shouldBeInRange 2..20
                text += refused.stackTraceToString()
                text += pool.snapshot.value.backends.map { "$it: ${it.lastError}" }
                pool.close(0)
                notices.join()
                for (written in text) written shouldNotContain "c4n4ry"
            }
        }
    })

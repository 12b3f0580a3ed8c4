package dev.carom.pool

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class GoldenNoticesTest :
    FunSpec({
        test("a life of a pool, told to the letter (AT-23)") {
            val a = backend("a")
            val b = backend("b")
            val network = object : FakeNetwork() {
                var refusing = true

                override suspend fun connect(backend: Backend): FakeConnection =
                    if (backend == b &&
                        refusing
                    ) {
                        throw AuthenticationFailed("password refused")
                    } else {
                        super.connect(backend)
                    }
            }
            val policy = PoolPolicy(
                spares = 1,
                maxSlots = 2,
                claimTimeout = 1.seconds,
                healthInterval = Duration.INFINITE,
                lease = LeasePolicy(warnAfter = 2.seconds, abortAfter = 3.seconds),
                outlier = OutlierPolicy(failuresInARow = 2, ejection = 5.seconds),
                authBackoff = BackoffPolicy(start = 4.seconds, max = 4.seconds, memory = 4.seconds, jitter = 0.1),
            )
            val told = ArrayList<String>()
            poolTest(emptySet(), policy, network) {
                val listener = test.launch(start = CoroutineStart.UNDISPATCHED) {
                    pool.notices.collect { told += "$it".replace(Regex("\\d{4} ms"), "… ms") }
                }
                fun chapter(name: String) {
                    test.runCurrent()
                    told += "== $name"
                }
                chapter("resolve, connect, a refused password")
                listed.value = setOf(a, b)
                after(1.seconds)
                chapter("the password is right now")
                network.refusing = false
                after(5.seconds)
                chapter("a leak: told, then ended")
                val leaked = pool.claim(ClaimOptions(holder = "leak", accepts = { it == a }))
                after(4.seconds)
                leaked.close()
                chapter("two failures in a row: ejected, and readmitted")
                repeat(2) {
                    pool.claim(ClaimOptions(accepts = { it == a })).use { it.report(ClaimOutcome.Failure) }
                    after(10.milliseconds)
                }
                after(6.seconds)
                chapter("drained, and back")
                pool.drain(b)
                pool.undrain(b)
                after(1.seconds)
                chapter("removed")
                listed.value = setOf(a)
                after(1.seconds)
                chapter("closed")
                pool.close(0)
                listener.join()
            }
            told.joinToString("\n") shouldBe GOLDEN.trim()
        }
    })

private const val GOLDEN = """
== resolve, connect, a refused password
backend added: a (10.0.0.a:1000)
backend added: b (10.0.0.b:1000)
priority none -> 0: the resolver's list changed
rebalanced to 2 of at most 2 slots: the resolver's list changed
slot 1 of a (10.0.0.a:1000): new -> BackingOff: the resolver's list changed
slot 2 of b (10.0.0.b:1000): new -> BackingOff: the resolver's list changed
slot 1 of a (10.0.0.a:1000): BackingOff -> Connecting: its turn
slot 2 of b (10.0.0.b:1000): BackingOff -> Connecting: its turn
slot 1 of a (10.0.0.a:1000): Connecting -> Ready: connected
backend up: a (10.0.0.a:1000)
credentials refused by b (10.0.0.b:1000): AuthenticationFailed: password refused; not tried again for … ms
slot 2 of b (10.0.0.b:1000): Connecting -> BackingOff: connect failed: AuthenticationFailed: password refused
backend down: b (10.0.0.b:1000): connect failed: AuthenticationFailed: password refused
== the password is right now
slot 2 of b (10.0.0.b:1000): BackingOff -> Connecting: its turn
slot 2 of b (10.0.0.b:1000): Connecting -> Ready: connected
backend up: b (10.0.0.b:1000)
== a leak: told, then ended
claim stalled: held by "leak" on a (10.0.0.a:1000) for … ms
claim aborted: held by "leak" on a (10.0.0.a:1000) for … ms
slot 1 of a (10.0.0.a:1000): Ready -> Closing: discarded: Stalled: held for 3s by "leak"
backend down: a (10.0.0.a:1000): discarded: Stalled: held for 3s by "leak"
slot 1 of a (10.0.0.a:1000): Closing -> gone: closed
slot 3 of a (10.0.0.a:1000): new -> BackingOff: a connection closed
slot 3 of a (10.0.0.a:1000): BackingOff -> Connecting: its turn
slot 3 of a (10.0.0.a:1000): Connecting -> Ready: connected
backend up: a (10.0.0.a:1000)
== two failures in a row: ejected, and readmitted
backend ejected for … ms: a (10.0.0.a:1000): 2 failures in a row
backend readmitted: a (10.0.0.a:1000): its time is over
== drained, and back
draining b (10.0.0.b:1000)
slot 2 of b (10.0.0.b:1000): Ready -> Closing: drained on request
rebalanced to 1 of at most 2 slots: a backend is drained
slot 2 of b (10.0.0.b:1000): Closing -> gone: closed
no longer draining b (10.0.0.b:1000)
rebalanced to 2 of at most 2 slots: a backend is no longer drained
slot 4 of b (10.0.0.b:1000): new -> BackingOff: a backend is no longer drained
slot 4 of b (10.0.0.b:1000): BackingOff -> Connecting: its turn
slot 4 of b (10.0.0.b:1000): Connecting -> Ready: connected
== removed
backend removed: b (10.0.0.b:1000), 1 connections open, 0 on loan
slot 4 of b (10.0.0.b:1000): Ready -> Closing: removed by the resolver
rebalanced to 1 of at most 2 slots: the resolver's list changed
slot 4 of b (10.0.0.b:1000): Closing -> gone: closed
== closed
slot 3 of a (10.0.0.a:1000): Ready -> Closing: the pool is closing
slot 3 of a (10.0.0.a:1000): Closing -> gone: closed
pool closed: closed 4, forced 0, refused 0 waiting, 0 stuck
"""

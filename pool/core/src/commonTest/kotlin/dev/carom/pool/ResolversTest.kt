package dev.carom.pool

import app.cash.turbine.test
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.seconds

class ResolversTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val c = backend("c")

        fun silent() = MutableSharedFlow<Set<Backend>>(replay = 1)

        test("a fixed resolver lists its backends to everybody") {
            val resolver = fixedResolver(a, b, a)
            repeat(2) { resolver.backends().first() shouldBe setOf(a, b) }
        }

        test("a merge lists the union, as soon as one has answered") {
            val one = silent()
            val other = silent()
            merge(one.asResolver(), other.asResolver()).backends().test {
                expectNoEvents()
                one.emit(setOf(a))
                awaitItem() shouldBe setOf(a)
                other.emit(setOf(a, b))
                awaitItem() shouldBe setOf(a, b)
                one.emit(emptySet())
                expectNoEvents()
                other.emit(setOf(b))
                awaitItem() shouldBe setOf(b)
                cancel()
            }
        }

        test("in a merge, one that fails keeps its last set and is asked again after 1 s, 2 s, 4 s …, at most 30 s") {
            runTest {
                val asked = mutableListOf<Long>()
                val failing = Resolver {
                    flow {
                        asked += currentTime / 1000
                        if (asked.size == 1) emit(setOf(a))
                        throw Refused("no answer")
                    }
                }
                merge(failing, flowOf(setOf(b)).asResolver()).backends().test(timeout = 1.seconds) {
                    var last = awaitItem()
                    while (last != setOf(a, b)) last = awaitItem()
                    delay(100.seconds)
                    asked shouldBe listOf(0L, 1, 3, 7, 15, 31, 61, 91)
                    expectNoEvents()
                    cancel()
                }
            }
        }

        test("a fallback speaks while the first has not answered, fails, or lists nothing") {
            val first = silent()
            first.asResolver().fallback(fixedResolver(c)).backends().test {
                awaitItem() shouldBe setOf(c)
                first.emit(setOf(a))
                awaitItem() shouldBe setOf(a)
                first.emit(emptySet())
                awaitItem() shouldBe setOf(c)
                first.emit(setOf(b))
                awaitItem() shouldBe setOf(b)
                cancel()
            }
            val never = Resolver { flow { throw Refused("no answer") } }
            runTest { never.fallback(fixedResolver(c)).backends().first() shouldBe setOf(c) }
        }

        test("a failure after an answer keeps that answer, not the fallback's") {
            runTest {
                val breaks = Resolver {
                    flow {
                        emit(setOf(a))
                        delay(1.seconds)
                        throw Refused("gone")
                    }
                }
                breaks.fallback(fixedResolver(c)).backends().test(timeout = 1.seconds) {
                    var last = awaitItem()
                    while (last != setOf(a)) last = awaitItem()
                    delay(90.seconds)
                    expectNoEvents()
                    cancel()
                }
            }
        }

        test("a filter lists what it accepts, and nothing when that is nothing") {
            val all = silent()
            all.asResolver().filter { it.name != "b" }.backends().test {
                all.emit(setOf(a, b))
                awaitItem() shouldBe setOf(a)
                all.emit(setOf(b))
                awaitItem() shouldBe emptySet()
                cancel()
            }
        }
    })

package dev.carom.pool.testkit

import app.cash.turbine.test
import dev.carom.pool.Backend
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.test.runTest

class ScriptedResolverTest :
    FunSpec({
        val a = Backend("a", "10.0.0.1", 1)
        val b = Backend("b", "10.0.0.2", 1)

        test("it is silent until it is told, and then lists what it was told last") {
            runTest {
                val resolver = ScriptedResolver()
                resolver.backends().test {
                    expectNoEvents()
                    resolver.set(a)
                    awaitItem() shouldBe setOf(a)
                    resolver.add(b)
                    awaitItem() shouldBe setOf(a, b)
                    resolver.remove(a)
                    awaitItem() shouldBe setOf(b)
                    resolver.set()
                    awaitItem() shouldBe emptySet()
                    resolver.set(listOf(a, b))
                    awaitItem() shouldBe setOf(a, b)
                    resolver.collectors shouldBe 1
                    cancel()
                }
                settle()
                (resolver.collectors to resolver.collections) shouldBe (0 to 1)
            }
        }

        test("it fails every collection until it lists again, and remembers what it listed") {
            runTest {
                val resolver = ScriptedResolver(a)
                val cause = FakeFailure("no registry")
                resolver.backends().test {
                    awaitItem() shouldBe setOf(a)
                    resolver.fail(cause)
                    awaitError() shouldBe cause
                }
                resolver.backends().test { awaitError() shouldBe cause }
                resolver.add(b)
                resolver.backends().test { awaitItem() shouldBe setOf(a, b) }
            }
        }

        test("it completes, and falls silent") {
            runTest {
                val resolver = ScriptedResolver(a)
                resolver.backends().test {
                    awaitItem() shouldBe setOf(a)
                    resolver.complete()
                    awaitComplete()
                }
                resolver.silence()
                resolver.backends().test { expectNoEvents() }
            }
        }
    })

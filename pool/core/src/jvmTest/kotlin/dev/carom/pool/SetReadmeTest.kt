package dev.carom.pool

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

/** What the README shows. */
class SetReadmeTest :
    FunSpec({
        test("one connection per backend, shared; and one logical connection with an outbox") {
            val sent = mutableListOf<String>()

            class Line(val backend: Backend) {
                fun send(text: String) {
                    sent += "$backend: $text"
                }
            }
            val connector = object : Connector<Line> {
                override suspend fun connect(backend: Backend) = Line(backend)

                override suspend fun close(connection: Line) = Unit
            }
            val resolver = fixedResolver(Backend("n1", "10.0.0.1", 7000), Backend("n2", "10.0.0.2", 7000, priority = 1))

            coroutineScope {
                // readme: begin
                val set = openConnectionSet("nodes", resolver, connector)
                set.awaitReady()
                set.use { line -> line.send("hello") } // shared: others use the same connection meanwhile

                val watch = launch {
                    set.changes.collect { change ->
                        when (change) {
                            is SetChange.Added -> println("up: ${change.connection.backend}")
                            is SetChange.Removed -> println("down: ${change.connection.backend}, ${change.reason}")
                        }
                    }
                }

                val events = openPersistent("events", resolver, connector, { line, text: String -> line.send(text) })
                events.put("queued, connected or not")
                events.send("written when this returns")
                events.close() // writes what is left, within a grace
                set.close()
                // readme: end
                watch.join()
                events.state.value shouldBe PersistentState.Closed
            }
            sent shouldContainExactlyInAnyOrder listOf(
                "n1 (10.0.0.1:7000): hello",
                "n1 (10.0.0.1:7000): queued, connected or not",
                "n1 (10.0.0.1:7000): written when this returns",
            )
        }
    })

package dev.carom.storage.internal

import dev.carom.storage.FakeSession
import dev.carom.storage.StorageException
import dev.carom.storage.storageTest
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlin.time.Duration

class RunningTest :
    FunSpec({
        test("what was stopped by force before it was begun says so") {
            storageTest {
                val running = Running(pool.engine, FakeSession(1))
                running.stop { StorageException.PoolClosed("db", "mine") }
                running.run<Unit>(Duration.INFINITE) { error("never") }.stop.shouldBeInstanceOf<Stop.ByForce>()
            }
        }
    })

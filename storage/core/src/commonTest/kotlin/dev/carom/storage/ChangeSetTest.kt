package dev.carom.storage

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.test.runTest

class ChangeSetTest :
    FunSpec({
        test("what is deferred runs at the commit, in order, with the context of the beginning") {
            runTest {
                val seen = mutableListOf<String>()
                kotlinx.coroutines.withContext(CoroutineName("request")) {
                    changeSet { set ->
                        set.mode shouldBe StorageMode.TXN
                        set.kind shouldBe StorageKind.CHANGE_SET
                        set.defer { seen += "a ${currentCoroutineContext()[CoroutineName]?.name}" }
                        set.defer { seen += "b" }
                        set.deferFail { seen += "never" }
                        seen.shouldBeEmpty()
                    }
                }
                seen shouldContainExactly listOf("a request", "b")
            }
        }

        test("a block that throws: nothing deferred runs, everything that undoes does, in order or in reverse") {
            for ((order, expected) in listOf(FailOrder.REGISTERED to "123", FailOrder.REVERSE to "321")) {
                runTest {
                    var seen = ""
                    val mine = IllegalStateException("mine")
                    shouldThrow<IllegalStateException> {
                        changeSet(order) { set ->
                            set.defer { seen += "never" }
                            for (n in 1..3) set.deferFail { seen += n }
                            throw mine
                        }
                    } shouldBeSameInstanceAs mine
                    seen shouldBe expected
                }
            }
        }

        test("a deferred change that throws stops the rest; every undo runs, also when one of them throws") {
            runTest {
                var seen = ""
                val failure = shouldThrow<IllegalStateException> {
                    changeSet { set ->
                        set.defer { seen += "a" }
                        set.defer { error("b") }
                        set.defer { seen += "c" }
                        set.deferFail { error("undo 1") }
                        set.deferFail { seen += "2" }
                    }
                }
                failure.message shouldBe "b"
                failure.suppressed.single().message shouldBe "undo 1"
                seen shouldBe "a2"
            }
        }

        test("ended by the block, it has ended: a second commit is an error and the changes stay") {
            runTest {
                var seen = 0
                shouldThrow<StorageException.TxnFinished> {
                    changeSet { set ->
                        set.defer { seen++ }
                        set.commit()
                        shouldThrow<StorageException.TxnFinished> { set.defer { } }
                        shouldThrow<StorageException.TxnFinished> { set.rollback() }
                    }
                }.status shouldBe TxnStatus.COMMITTED
                seen shouldBe 1
            }
        }

        test("inside another change set it is the same one, committed at the outer end") {
            runTest {
                var seen = 0
                changeSet { outer ->
                    changeSet { inner ->
                        inner shouldBeSameInstanceAs outer
                        inner.defer { seen++ }
                    }
                    seen shouldBe 0
                }
                seen shouldBe 1
            }
        }

        test("what is deferred to a transaction runs in one, before the rest; its policy reaches it") {
            storageTest {
                val seen = mutableListOf<String>()
                pool.changeSet(TxnPolicy(readOnly = true), FailOrder.REGISTERED) { set ->
                    set.defer { seen += "after ${log.last()}" }
                    set.deferTxn { it.use { s -> s.log += "a" } }
                    set.deferTxn { txn -> shouldThrow<StorageException.ReadOnlyViolation> { txn.write { } } }
                    log.shouldBeEmpty()
                }
                log shouldContainExactly listOf("begin", "a", "commit")
                seen shouldContainExactly listOf("after commit")
            }
        }

        test("nothing deferred to a transaction: none is begun") {
            storageTest {
                driver.onBegin = { error("must not begin") }
                var seen = 0
                pool.changeSet { it.defer { seen++ } }
                seen shouldBe 1
                sessions.shouldBeEmpty()
            }
        }

        test("a failure in the transaction rolls it back, and undoes; one after it leaves it committed, and undoes") {
            storageTest {
                val seen = mutableListOf<String>()
                shouldThrow<IllegalStateException> {
                    pool.changeSet { set ->
                        set.deferTxn { error("in txn") }
                        set.defer { seen += "never" }
                        set.deferFail { seen += "undo 1" }
                    }
                }
                shouldThrow<IllegalStateException> {
                    pool.changeSet { set ->
                        set.hooks.afterCompletion { seen += it.name }
                        set.deferTxn { }
                        set.defer { error("after txn") }
                        set.deferFail { seen += "undo 2" }
                    }
                }
                log shouldContainExactly listOf("begin", "rollback", "begin", "commit")
                seen shouldContainExactly listOf("undo 1", "undo 2", "COMMITTED")
            }
        }

        test("an unknown outcome runs neither what was deferred nor what undoes it") {
            storageTest {
                driver.onCommit = { throw FakeError(ErrorCategory.CONNECTION, broken = true) }
                val seen = mutableListOf<String>()
                failureOf {
                    pool.changeSet { set ->
                        set.hooks.afterCompletion { seen += it.name }
                        set.deferTxn { }
                        set.defer { seen += "defer" }
                        set.deferFail { seen += "undo" }
                    }
                }.shouldBeInstanceOf<StorageException.CommitOutcomeUnknown>()
                seen shouldContainExactly listOf("UNKNOWN")
            }
        }
    })

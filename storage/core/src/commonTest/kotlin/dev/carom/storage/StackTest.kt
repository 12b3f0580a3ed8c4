package dev.carom.storage

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest

private fun stackTest(vararg items: String, block: suspend TestScope.(StackPool, Stack) -> Unit) = runTest {
    val stack = Stack(*items)
    val core = openStorage("stack", StackDriver, LocalSessions(2) { StackSession(stack) })
    val pool: StackPool = MemStackPool(core)
    block(pool, stack)
    pool.stats().leased shouldBe 0
    pool.close(0)
}

class StackTest :
    FunSpec({
        test("the handles have the operations and the types of the stack") {
            stackTest("a", "b") { pool, stack ->
                pool.push("c") shouldBe 3
                pool.peek() shouldBe "c"
                val conn: StackConn = pool.conn()
                conn.pop() shouldBe "c"
                val txn: StackTxn = conn.beginTxn()
                txn.push("d")
                txn.kind.id shouldBe "stack"
                txn.mode shouldBe StorageMode.TXN
                txn.commit()
                conn.close()
                pool.all().toList() shouldContainExactly listOf("a", "b", "d")
                stack.ref.load() shouldContainExactly listOf("a", "b", "d")
            }
        }

        test("a push in a block is invisible outside until the block has ended") {
            stackTest("a", "b") { pool, stack ->
                pool.txn { txn: StackTxn ->
                    txn.push("c")
                    stack.ref.load() shouldContainExactly listOf("a", "b")
                }
                stack.ref.load() shouldContainExactly listOf("a", "b", "c")
            }
        }

        test("a push in a block that throws was seen inside only") {
            stackTest("a", "b") { pool, stack ->
                shouldThrow<IllegalStateException> {
                    pool.txn { txn ->
                        txn.push("c")
                        txn.peek() shouldBe "c"
                        error("undo")
                    }
                }
                stack.ref.load() shouldContainExactly listOf("a", "b")
            }
        }

        test("read-only: a push is refused, the stack unchanged") {
            stackTest("a") { pool, stack ->
                shouldThrow<StorageException.ReadOnlyViolation> {
                    pool.txn(TxnPolicy(readOnly = true)) { it.push("b") }
                }
                stack.ref.load() shouldContainExactly listOf("a")
            }
        }

        test("joined: the same transaction, committed at the outer end") {
            stackTest("a") { pool, stack ->
                pool.txn { outer ->
                    pool.txn { inner ->
                        inner shouldBeSameInstanceAs outer
                        inner.push("b")
                    }
                    stack.ref.load() shouldContainExactly listOf("a")
                }
                stack.ref.load() shouldContainExactly listOf("a", "b")
            }
        }

        test("nested: inner sees its push, the base sees nothing before the end") {
            stackTest("a", "b") { pool, stack ->
                pool.txn { outer ->
                    outer.push("c")
                    outer.txn { inner ->
                        inner.push("d")
                        inner.peek() shouldBe "d"
                        pool.peek() shouldBe "b"
                    }
                    outer.peek() shouldBe "d"
                    failureOf {
                        outer.txn {
                            it.push("e")
                            error("undo")
                        }
                    }
                }
                stack.ref.load() shouldContainExactly listOf("a", "b", "c", "d")
            }
        }

        test("two transactions: no update is lost") {
            stackTest { pool, stack ->
                failureOf {
                    pool.txn { txn ->
                        txn.push("mine")
                        pool.push("theirs")
                    }
                }.shouldBeInstanceOf<StorageException.Platform>().category shouldBe ErrorCategory.SERIALIZATION
                stack.ref.load() shouldContainExactly listOf("theirs")
            }
        }
    })

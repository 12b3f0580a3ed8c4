package dev.carom.storage.tck

import dev.carom.storage.ErrorCategory
import dev.carom.storage.Isolation
import dev.carom.storage.RetryPolicy
import dev.carom.storage.Sessions
import dev.carom.storage.StorageException
import dev.carom.storage.StorageKind
import dev.carom.storage.TxnPolicy
import dev.carom.storage.conn
import dev.carom.storage.txn
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList

private const val PLACE = "things"

class DocumentTarget : TckTarget<DocumentSession> {
    private val documents = Documents()
    override val name = "documents"
    override val driver = DocumentDriver()

    override fun source(capacity: Int) = documents.source(capacity)

    private fun ops(on: Sessions<DocumentSession>) = SessionDocumentOps(on)

    override suspend fun clear(on: Sessions<DocumentSession>) {
        ops(on).deleteMany(PLACE) { true }
    }

    override suspend fun write(on: Sessions<DocumentSession>, key: String, value: String) =
        ops(on).replaceOne(PLACE, Document(key, mapOf("value" to value)))

    override suspend fun read(on: Sessions<DocumentSession>, key: String): String? =
        ops(on).findOne(PLACE, key)?.fields?.get("value") as String?

    override suspend fun fail(on: Sessions<DocumentSession>) {
        ops(on).replaceOne("other", Document("taken", emptyMap()))
        ops(on).insertOne("other", Document("taken", emptyMap()))
    }

    override suspend fun slow(on: Sessions<DocumentSession>, millis: Long) = on.use { delay(millis) }

    override suspend fun readMany(on: Sessions<DocumentSession>, count: Int, each: suspend (Int) -> Unit) {
        var n = 0
        ops(on).find(PLACE).take(count).collect { each(n++) }
    }
}

class DocumentConformanceTest :
    FunSpec({
        for (case in StorageTck.cases(DocumentTarget())) test(case.name) { case.run() }

        suspend fun documents(block: suspend (DocumentPool) -> Unit) = coroutineScope {
            val pool = openDocuments("documents", Documents(), sessions = 4)
            try {
                block(pool)
            } finally {
                pool.close(0)
            }
        }

        test("a storage of documents: the same operations on pool, connection and transaction") {
            documents { pool ->
                pool.kind shouldBe StorageKind.DOCUMENT
                pool.insertOne("people", Document("ada", mapOf("born" to 1815)))
                pool.conn { conn ->
                    conn.insertOne("people", Document("bob", mapOf("born" to 1900)))
                    conn.txn { txn: DocumentTxn ->
                        txn.updateOne("people", "ada") { it.copy(fields = it.fields + ("name" to "Ada")) } shouldBe true
                        txn.deleteMany("people") { it.fields["born"] == 1900 } shouldBe 1
                        txn.count("people") shouldBe 1
                        pool.count("people") shouldBe 2
                    }
                }
                pool.find("people").map { it.fields }.toList() shouldContainExactly
                    listOf(mapOf("born" to 1815, "name" to "Ada"))
                val twice =
                    shouldThrow<StorageException.Platform> { pool.insertOne("people", Document("ada", mapOf())) }
                twice.category shouldBe ErrorCategory.UNIQUE
            }
        }

        test("twenty transactions on one document, tried again when another was first: the sum is exact") {
            documents { pool ->
                pool.insertOne("counters", Document("c", mapOf("n" to 0)))
                val policy = TxnPolicy(Isolation.SNAPSHOT, retry = RetryPolicy(100))
                coroutineScope {
                    List(20) {
                        async {
                            pool.txn(policy) { txn ->
                                txn.updateOne("counters", "c") {
                                    Document("c", mapOf("n" to it.fields["n"] as Int + 1))
                                }
                            }
                        }
                    }.awaitAll()
                }
                pool.findOne("counters", "c")?.fields shouldBe mapOf("n" to 20)
            }
        }
    })

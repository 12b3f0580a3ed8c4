package dev.carom.storage.jdbc

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.jdbc.Database
import org.jetbrains.exposed.v1.jdbc.SchemaUtils
import org.jetbrains.exposed.v1.jdbc.insert
import org.jetbrains.exposed.v1.jdbc.selectAll
import org.jetbrains.exposed.v1.jdbc.transactions.suspendTransaction
import org.jetbrains.exposed.v1.jdbc.transactions.transaction
import org.jetbrains.exposed.v1.jdbc.update
import java.sql.Connection

private object People : Table("people") {
    val id = integer("id").autoIncrement()
    val name = varchar("name", 50)
    override val primaryKey = PrimaryKey(id)
}

class ExposedTest :
    FunSpec({
        suspend fun works(pool: JdbcPool) {
            val database = Database.connect(pool.dataSource())
            withContext(Dispatchers.IO) {
                transaction(database) {
                    SchemaUtils.create(People)
                    for (who in listOf("ada", "bob")) People.insert { it[name] = who }
                }
                shouldThrow<IllegalStateException> {
                    transaction(database, Connection.TRANSACTION_SERIALIZABLE) {
                        People.update({ People.name eq "bob" }) { it[name] = "eve" }
                        error("undo")
                    }
                }
                transaction(database, readOnly = true) { People.selectAll().map { it[People.name] } }
                    .shouldContainExactly("ada", "bob")
            }
            coroutineScope {
                List(20) { n ->
                    async(Dispatchers.IO) { suspendTransaction(database) { People.insert { it[name] = "p$n" } } }
                }.awaitAll()
            }
            withContext(Dispatchers.IO) { transaction(database) { People.selectAll().count() } } shouldBe 22
            pool.stats().leased shouldBe 0
            pool.stats().destroyed.values.sum() shouldBe 0
        }

        test("Exposed works on the DataSource: H2") { jdbcTest(Embedded.h2(), sessions = 3) { works(it) } }

        postgres("Exposed works on the DataSource: PostgreSQL") { server ->
            server.world("exposed", sessions = 3) { works(it.pool) }
        }
    })

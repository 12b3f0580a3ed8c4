package dev.carom.storage.jdbc

import dev.carom.storage.sql.exec
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withContext
import org.ktorm.database.Database
import org.ktorm.database.TransactionIsolation
import org.ktorm.dsl.asc
import org.ktorm.dsl.eq
import org.ktorm.dsl.from
import org.ktorm.dsl.insert
import org.ktorm.dsl.map
import org.ktorm.dsl.orderBy
import org.ktorm.dsl.select
import org.ktorm.dsl.update
import org.ktorm.schema.Table
import org.ktorm.schema.int
import org.ktorm.schema.varchar

private object Folk : Table<Nothing>("folk") {
    val id = int("id").primaryKey()
    val name = varchar("full_name")
}

class KtormTest :
    FunSpec({
        suspend fun works(pool: JdbcPool) {
            pool.exec("create table folk (id int primary key, full_name varchar(50))")
            withContext(Dispatchers.IO) {
                val database = Database.connect(pool.dataSource())
                fun names() = database.from(Folk).select(Folk.name).orderBy(Folk.id.asc()).map { it[Folk.name] }
                database.useTransaction {
                    for ((n, who) in listOf("ada", "bob").withIndex()) {
                        database.insert(Folk) {
                            set(it.id, n)
                            set(it.name, who)
                        }
                    }
                }
                shouldThrow<IllegalStateException> {
                    database.useTransaction(TransactionIsolation.SERIALIZABLE) {
                        database.update(Folk) {
                            set(it.name, "eve")
                            where { it.name eq "bob" }
                        }
                        error("undo")
                    }
                }
                names() shouldContainExactly listOf("ada", "bob")
                List(20) { n ->
                    async {
                        database.insert(Folk) {
                            set(it.id, 10 + n)
                            set(it.name, "p$n")
                        }
                    }
                }.awaitAll()
                names().size shouldBe 22
            }
            pool.stats().leased shouldBe 0
            pool.stats().destroyed.values.sum() shouldBe 0
        }

        test("T28 Ktorm works on the DataSource: H2") { jdbcTest(Embedded.h2(), sessions = 3) { works(it) } }

        postgres("T28 Ktorm works on the DataSource: PostgreSQL") { server ->
            server.world("ktorm", sessions = 3) { works(it.pool) }
        }
    })

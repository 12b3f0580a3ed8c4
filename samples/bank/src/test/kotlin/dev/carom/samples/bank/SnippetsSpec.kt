package dev.carom.samples.bank

import dev.carom.pool.Backend
import dev.carom.pool.fixedResolver
import dev.carom.storage.sql.BlockingSqlPool
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.one
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.minutes

class SnippetsSpec :
    StringSpec({
        timeout = 2.minutes.inWholeMilliseconds

        "what the README shows of storage moves money" {
            withServer { server ->
                val published = CompletableDeferred<String>()
                val login = "user=postgres"
                Snippets(login) { published.complete(it) }.run {
                    coroutineScope {
                        val pool = openBank(fixedResolver(Backend("bank", "127.0.0.1", server.port)))
                        pool.exec("create table account (id int primary key, balance bigint not null)")
                        pool.exec("insert into account values (1, 100), (2, 100)")
                        transfer(pool, 1, 2, 30)
                        published.await() shouldBe "moved 30 from 1 to 2"
                        withContext(Dispatchers.IO) {
                            SnippetsJava.transfer(BlockingSqlPool.of(pool), 2, 1, 10)
                        } shouldBe 120
                        pool.one("select sum(balance) from account").getLong(0) shouldBe 200
                        pool.close()
                    }
                }
            }
        }
    })

package dev.carom.storage.jdbc

import dev.carom.storage.ResetLevel
import dev.carom.storage.StoragePolicy
import dev.carom.storage.conn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.list
import dev.carom.storage.sql.one
import dev.carom.storage.sql.scalar
import dev.carom.storage.sql.sql
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import java.time.Instant
import java.time.LocalDate
import java.util.UUID

class PostgresSessionTest :
    FunSpec({
        /** What one borrower may leave behind, and how the next one would see it: whether it is there. */
        val leaks = listOf(
            "set statement_timeout = 4711" to "current_setting('statement_timeout') = '4711ms'",
            "set search_path = pg_catalog" to "current_setting('search_path') = 'pg_catalog'",
            "set time zone 'Asia/Tokyo'" to "current_setting('TimeZone') = 'Asia/Tokyo'",
            "set session characteristics as transaction isolation level serializable" to
                "current_setting('transaction_isolation') = 'serializable'",
            "set default_transaction_read_only = on" to "current_setting('transaction_read_only') = 'on'",
            "create temp table left_behind (n int)" to "to_regclass('pg_temp.left_behind') is not null",
            "select pg_advisory_lock(4711)" to
                "exists (select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())",
            "listen left_behind" to "exists (select 1 from pg_listening_channels())",
            "prepare left_behind as select 1" to
                "exists (select 1 from pg_prepared_statements where name = 'left_behind')",
            "select set_config('app.user', 'alice', false)" to "current_setting('app.user', true) = 'alice'",
            "declare left_behind cursor with hold for select 1" to
                "exists (select 1 from pg_cursors where name = 'left_behind')",
            "begin; declare in_txn cursor for select 1" to "exists (select 1 from pg_cursors where name = 'in_txn')",
            "set role carom_other" to "current_user = 'carom_other'",
        )

        postgres("B169: thirteen things that a borrower leaves behind, and none that the next one sees") { server ->
            server.world("hygiene", sessions = 1) { world ->
                server.told(
                    "do 'begin create role carom_other; exception when duplicate_object then null; end'",
                )
                val seen = leaks.filter { (leave, sees) ->
                    val before = world.pool.conn { conn ->
                        conn.exec(leave)
                        conn.scalar("select $sees") to conn.scalar("select pg_backend_pid()")
                    }
                    before.first shouldBe true
                    world.pool.conn { conn ->
                        conn.scalar("select pg_backend_pid()") shouldBe before.second
                        conn.scalar("select $sees") == true
                    }
                }
                seen.shouldBeEmpty()
                world.pool.scalar("select current_setting('client_connection_check_interval')") shouldBe "500ms"
                world.pool.stats().destroyed.values.sum() shouldBe 0
            }
        }

        postgres(
            "B170: a transaction that was begun by hand is rolled back, also after a pool's own operation",
        ) { server ->
            server.world("probe", sessions = 1, StoragePolicy(reset = ResetLevel.TRACKED)) { world ->
                world.pool.exec("create table t (n int)")
                world.pool.exec("begin")
                world.pool.exec("insert into t values (1)")
                world.backends("state like 'idle in transaction%'") shouldBe 0
                world.pool.conn { conn ->
                    conn.exec("begin")
                    conn.exec("insert into t values (2)")
                }
                world.backends("state like 'idle in transaction%'") shouldBe 0
                world.pool.scalar("select count(*) from t") shouldBe 1L
            }
        }

        postgres("B173: a prepared statement still works after a complete reset") { server ->
            server.world("prepared", sessions = 1) { world ->
                repeat(20) { n -> world.pool.conn { conn -> conn.scalar("select ?::int", n) shouldBe n } }
            }
        }

        postgres("types: what goes in comes out") { server ->
            server.world("types") { world ->
                val id = UUID.randomUUID()
                val at = Instant.parse("2026-11-21T08:06:00Z")
                world.pool.exec(
                    "create table t (id uuid, at timestamptz, day date, words text[], doc jsonb, level text, b bytea)",
                )
                world.pool.exec(
                    "insert into t values (?, ?, ?, string_to_array(?, ' '), ?::jsonb, ?, ?)",
                    id,
                    at,
                    LocalDate.of(2026, 11, 21),
                    "a b",
                    """{"k": 1}""",
                    ResetLevel.FULL,
                    byteArrayOf(1, 2),
                )
                val row = world.pool.one("select * from t where at = ?", at)
                row["id"] shouldBe id
                row["words"] shouldBe listOf("a", "b")
                row.getString("doc") shouldBe """{"k": 1}"""
                row.getString("level") shouldBe "FULL"
                row.getBytes("b").toList() shouldBe listOf<Byte>(1, 2)
                val named = world.pool.list(sql("select n from generate_series(1, 1000) n where n <> ?", 500))
                named.size shouldBe 999
            }
        }
    })

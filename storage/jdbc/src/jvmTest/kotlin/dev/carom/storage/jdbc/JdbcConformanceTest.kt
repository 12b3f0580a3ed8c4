package dev.carom.storage.jdbc

import dev.carom.storage.tck.StorageTck
import io.kotest.core.spec.style.FunSpec

class JdbcConformanceTest :
    FunSpec({
        val postgres = PostgresServer.shared?.let { Embedded.postgres(it.database("tck")) }
        val maria = MariaServer.shared?.let { Embedded.maria(it.database("tck")) }
        for (database in listOfNotNull(Embedded.h2(), Embedded.sqlite(), postgres, maria)) {
            for (case in StorageTck.cases(JdbcTarget(database))) test(case.name) { case.run() }
        }
        if (postgres == null) xtest("POSTGRESQL: the suite; no server here") {}
        if (maria == null) xtest("MYSQL: the suite; no server here") {}
    })

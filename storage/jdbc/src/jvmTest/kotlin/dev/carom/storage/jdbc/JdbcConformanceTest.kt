package dev.carom.storage.jdbc

import dev.carom.storage.tck.StorageTck
import io.kotest.core.spec.style.FunSpec

class JdbcConformanceTest :
    FunSpec({
        for (case in StorageTck.cases(JdbcTarget(Embedded.h2()))) test(case.name) { case.run() }
        for (case in StorageTck.cases(JdbcTarget(Embedded.sqlite()))) test(case.name) { case.run() }
    })

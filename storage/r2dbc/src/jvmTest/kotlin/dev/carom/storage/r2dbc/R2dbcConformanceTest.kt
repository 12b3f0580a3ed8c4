package dev.carom.storage.r2dbc

import dev.carom.storage.tck.StorageTck
import io.kotest.core.spec.style.FunSpec

class R2dbcConformanceTest :
    FunSpec({
        for (case in StorageTck.cases(R2dbcTarget(Server.h2()))) test(case.name) { case.run() }
    })

class R2dbcPostgresConformanceTest :
    FunSpec(
        withPostgres { server ->
            for (case in StorageTck.cases(R2dbcTarget(server))) test(case.name) { case.run() }
        },
    )

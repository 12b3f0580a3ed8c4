package dev.carom.storage.jdbc

import dev.carom.storage.ConnCore
import dev.carom.storage.NestingTxn
import dev.carom.storage.PoolCore
import dev.carom.storage.StorageConn
import dev.carom.storage.StoragePool
import dev.carom.storage.TxnCore
import dev.carom.storage.sql.SqlConn
import dev.carom.storage.sql.SqlOps
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.SqlTxn
import dev.carom.storage.sql.sqlOps
import javax.sql.DataSource

/** A relational pool over JDBC, which code that wants plain JDBC can use too. */
public interface JdbcPool : SqlPool {
    /**
     * This pool for code that knows JDBC only. `getConnection` blocks; each connection counts as one on loan until it is
     * closed, and comes back rolled back and with the settings it had: autocommit, isolation, read-only, catalog, schema
     * and network timeout. What was set by SQL is reset as [dev.carom.storage.StoragePolicy.reset] says.
     */
    public fun dataSource(): DataSource
}

private class JdbcTxn(core: TxnCore<JdbcSession>, driver: JdbcDriver) :
    SqlTxn,
    NestingTxn<SqlTxn> by core.nesting({ JdbcTxn(it, driver) }),
    SqlOps by sqlOps(core, driver)

private class JdbcConn(core: ConnCore<JdbcSession>, driver: JdbcDriver) :
    SqlConn,
    StorageConn<SqlTxn> by core.typed({ JdbcTxn(it, driver) }),
    SqlOps by sqlOps(core, driver)

internal class CoreJdbcPool(private val core: PoolCore<JdbcSession>, driver: JdbcDriver) :
    JdbcPool,
    StoragePool<SqlConn, SqlTxn> by core.typed({ JdbcConn(it, driver) }, { JdbcTxn(it, driver) }),
    SqlOps by sqlOps(core, driver) {
    override val nearest: SqlOps = sqlOps(core.nearest(), driver)

    override fun dataSource(): DataSource = JdbcDataSource(core)
}

package dev.carom.samples.bank;

import dev.carom.storage.Isolation;
import dev.carom.storage.RetryPolicyBuilder;
import dev.carom.storage.TxnPolicyBuilder;
import dev.carom.storage.sql.BlockingSqlPool;

/** What the README shows, compiled. */
public final class SnippetsJava {
    private SnippetsJava() {}

    // snippet: java-storage
    static long transfer(BlockingSqlPool pool, int from, int to, long amount) {
        var policy = new TxnPolicyBuilder().isolation(Isolation.SERIALIZABLE)
                .retry(new RetryPolicyBuilder().attempts(10).build()).build();
        return pool.txn(policy, txn -> {
            txn.exec("update account set balance = balance - ? where id = ?", amount, from);
            txn.exec("update account set balance = balance + ? where id = ?", amount, to);
            return txn.one("select balance from account where id = ?", from).getLong(0);
        });
    }
    // end
}

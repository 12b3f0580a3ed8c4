package dev.carom.storage.internal

import dev.carom.storage.TxnEnd
import dev.carom.storage.TxnPolicy
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlin.concurrent.Volatile
import kotlin.time.Duration

/** What ends a transaction that nobody ends: its owner's end, its time, its being left alone. */
internal class TxnBonds(private val policy: TxnPolicy, private val end: (TxnEnd) -> Unit) {
    // Written by whoever begins, read by whoever ends; who begins looks once more afterwards.
    @Volatile private var owner: DisposableHandle? = null

    @Volatile private var timer: Job? = null

    @Volatile private var idler: Job? = null

    /** @param idle for how long nobody has used it; zero while somebody does. */
    fun bind(caller: Job?, scope: CoroutineScope, idle: () -> Duration) {
        if (policy.owned) {
            owner = caller?.invokeOnCompletion { cause ->
                end(if (cause == null) TxnEnd.OWNER_COMPLETED else TxnEnd.OWNER_CANCELLED)
            }
        }
        if (policy.timeout.isFinite()) {
            timer = scope.launch {
                delay(policy.timeout)
                end(TxnEnd.TIMEOUT)
            }
        }
        if (policy.idleTimeout.isFinite()) idler = scope.launch { awaitIdle(idle) }
    }

    private suspend fun awaitIdle(idle: () -> Duration) {
        var left = policy.idleTimeout
        while (left.isPositive()) {
            delay(left)
            left = policy.idleTimeout - idle()
        }
        end(TxnEnd.OWNER_IDLE)
    }

    fun unbind() {
        owner?.dispose()
        timer?.cancel()
        idler?.cancel()
    }
}

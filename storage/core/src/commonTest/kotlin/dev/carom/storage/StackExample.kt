package dev.carom.storage

import kotlinx.coroutines.flow.Flow
import kotlin.concurrent.atomics.AtomicReference

// A storage type of one's own: its operations, and what they are on each handle.
interface StackOps {
    suspend fun push(value: String): Int

    suspend fun peek(): String?

    suspend fun pop(): String?

    fun all(): Flow<String>
}

interface StackTxn :
    NestingTxn<StackTxn>,
    StackOps

interface StackConn :
    StorageConn<StackTxn>,
    StackOps

interface StackPool :
    StoragePool<StackConn, StackTxn>,
    StackOps

// An adapter for it: the operations, once, and three lines.
class MemStackOps(private val on: Sessions<StackSession>) : StackOps {
    override suspend fun push(value: String) = on.write { it.push(value) }

    override suspend fun peek() = on.read { it.items.lastOrNull() }

    override suspend fun pop() = on.write { it.pop() }

    override fun all() = on.stream<StackSession, String> { session -> session.items.forEach { emit(it) } }
}

class MemStackTxn(c: TxnCore<StackSession>) :
    StackTxn,
    NestingTxn<StackTxn> by c.nesting(::MemStackTxn),
    StackOps by MemStackOps(c)

class MemStackConn(c: ConnCore<StackSession>) :
    StackConn,
    StorageConn<StackTxn> by c.typed(::MemStackTxn),
    StackOps by MemStackOps(c)

class MemStackPool(c: PoolCore<StackSession>) :
    StackPool,
    StoragePool<StackConn, StackTxn> by c.typed(::MemStackConn, ::MemStackTxn),
    StackOps by MemStackOps(c)

/** The stack all sessions share. */
class Stack(vararg items: String) {
    val ref = AtomicReference(items.toList())
}

/** Outside a transaction each change is shared at once; inside at the commit, if nobody was faster. */
class StackSession(private val stack: Stack) {
    private var base: List<String>? = null
    private var own: List<String> = emptyList()
    val savepoints = mutableMapOf<String, List<String>>()
    val isOpen: Boolean get() = base != null
    val items: List<String> get() = if (isOpen) own else stack.ref.load()

    fun push(value: String): Int = change { it + value }.size

    fun pop(): String? = items.lastOrNull().also { change { it.dropLast(1) } }

    private fun change(next: (List<String>) -> List<String>): List<String> {
        if (isOpen) return next(own).also { own = it }
        while (true) {
            val now = stack.ref.load()
            if (stack.ref.compareAndSet(now, next(now))) return next(now)
        }
    }

    fun begin() {
        own = stack.ref.load().also { base = it }
    }

    fun end(commit: Boolean) {
        val from = checkNotNull(base)
        base = null
        if (commit && !stack.ref.compareAndSet(from, own)) throw StackConflict()
    }

    fun save(name: String) {
        savepoints[name] = own
    }

    fun restore(name: String) {
        own = savepoints.getValue(name)
    }
}

class StackConflict : RuntimeException("somebody else changed the stack")

object StackDriver : StorageDriver<StackSession> {
    override val kind = StorageKind("stack")
    override val capabilities = Capabilities(setOf(Isolation.SERIALIZABLE), savepoints = true)

    override suspend fun begin(session: StackSession, policy: TxnPolicy) = session.begin()

    override suspend fun commit(session: StackSession) = session.end(true)

    override suspend fun rollback(session: StackSession) = session.end(false)

    override suspend fun savepoint(session: StackSession, name: String) = session.save(name)

    override suspend fun rollbackToSavepoint(session: StackSession, name: String) = session.restore(name)

    override fun txnOf(session: StackSession) = if (session.isOpen) SessionTxn.OPEN else SessionTxn.IDLE

    override fun classify(error: Throwable) = (error as? StackConflict)?.let { ErrorInfo(ErrorCategory.SERIALIZATION) }
}

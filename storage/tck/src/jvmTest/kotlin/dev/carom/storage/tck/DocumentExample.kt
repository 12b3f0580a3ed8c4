package dev.carom.storage.tck

import dev.carom.storage.Capabilities
import dev.carom.storage.ConnCore
import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.Isolation
import dev.carom.storage.LocalSessions
import dev.carom.storage.NestingTxn
import dev.carom.storage.PoolCore
import dev.carom.storage.SessionTxn
import dev.carom.storage.Sessions
import dev.carom.storage.StorageConn
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageKind
import dev.carom.storage.StoragePool
import dev.carom.storage.TxnCore
import dev.carom.storage.TxnPolicy
import dev.carom.storage.openStorage
import dev.carom.storage.read
import dev.carom.storage.stream
import dev.carom.storage.write
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import java.util.concurrent.atomic.AtomicReference

// A storage type of one's own, from its operations to its adapter: documents in collections. This is all there is to write;
// pools, connections, transactions, cancellation and hooks come from the cores.

/** Immutable. */
data class Document(val id: String, val fields: Map<String, Any?>)

/** 1. What one can do: the same on a pool, on a connection and in a transaction. */
interface DocumentOps {
    /** @throws DuplicateDocument if there is one with that id. */
    suspend fun insertOne(collection: String, document: Document)

    suspend fun findOne(collection: String, id: String): Document?

    /** Cold; in order of the ids; holds a session while it is collected. */
    fun find(collection: String, where: (Document) -> Boolean = { true }): Flow<Document>

    /** Whether there was one. */
    suspend fun updateOne(collection: String, id: String, change: (Document) -> Document): Boolean

    /** New or not. */
    suspend fun replaceOne(collection: String, document: Document)

    /** How many there were. */
    suspend fun deleteMany(collection: String, where: (Document) -> Boolean): Int

    suspend fun count(collection: String): Int
}

/** 2. The handles. */
interface DocumentTxn :
    NestingTxn<DocumentTxn>,
    DocumentOps

interface DocumentConn :
    StorageConn<DocumentTxn>,
    DocumentOps

interface DocumentPool :
    StoragePool<DocumentConn, DocumentTxn>,
    DocumentOps

/** 3. The operations, once, on whatever gives a session. */
class SessionDocumentOps(private val on: Sessions<DocumentSession>) : DocumentOps {
    override suspend fun insertOne(collection: String, document: Document) = on.write { session ->
        if (session.get(collection, document.id) != null) throw DuplicateDocument(collection, document.id)
        session.put(collection, document.id, document)
    }

    override suspend fun findOne(collection: String, id: String) = on.read { it.get(collection, id) }

    override fun find(collection: String, where: (Document) -> Boolean) =
        on.stream<DocumentSession, Document> { session ->
            // One conversation a document, as a cursor of a server would be.
            for (id in call { session.ids(collection) }) {
                call { session.get(collection, id) }?.takeIf(where)?.let { emit(it) }
            }
        }

    override suspend fun updateOne(collection: String, id: String, change: (Document) -> Document) =
        on.write { session ->
            val old = session.get(collection, id) ?: return@write false
            session.put(collection, id, change(old))
            true
        }

    override suspend fun replaceOne(collection: String, document: Document) =
        on.write { it.put(collection, document.id, document) }

    override suspend fun deleteMany(collection: String, where: (Document) -> Boolean) = on.write { session ->
        session.ids(collection).count { id ->
            where(checkNotNull(session.get(collection, id))).also { if (it) session.put(collection, id, null) }
        }
    }

    override suspend fun count(collection: String) = on.read { it.ids(collection).size }
}

/** 4. Three lines. */
class CoreDocumentTxn(core: TxnCore<DocumentSession>) :
    DocumentTxn,
    NestingTxn<DocumentTxn> by core.nesting(::CoreDocumentTxn),
    DocumentOps by SessionDocumentOps(core)

class CoreDocumentConn(core: ConnCore<DocumentSession>) :
    DocumentConn,
    StorageConn<DocumentTxn> by core.typed(::CoreDocumentTxn),
    DocumentOps by SessionDocumentOps(core)

class CoreDocumentPool(core: PoolCore<DocumentSession>) :
    DocumentPool,
    StoragePool<DocumentConn, DocumentTxn> by core.typed(::CoreDocumentConn, ::CoreDocumentTxn),
    DocumentOps by SessionDocumentOps(core)

/** Opens a pool over [documents]. */
fun CoroutineScope.openDocuments(name: String, documents: Documents, sessions: Int): DocumentPool =
    CoreDocumentPool(openStorage(name, DocumentDriver(), documents.source(sessions)))

// The adapter, here to memory: what is committed, a session that lays its transaction over that, and a driver.

typealias Place = Pair<String, String>

class DuplicateDocument(collection: String, id: String) : RuntimeException("$collection has a document $id")

class DocumentConflict(place: Place) : RuntimeException("another transaction changed $place first")

class Documents {
    internal val committed = AtomicReference<Map<Place, Document>>(emptyMap())

    fun source(sessions: Int) = LocalSessions(sessions) { DocumentSession(this) }
}

class DocumentSession(private val documents: Documents) {
    /** @property own what the transaction changed; a null is a removal. */
    private class Open(val base: Map<Place, Document>, var own: Map<Place, Document?> = emptyMap()) {
        val savepoints = LinkedHashMap<String, Map<Place, Document?>>()
    }

    private var txn: Open? = null

    val state: SessionTxn get() = if (txn == null) SessionTxn.IDLE else SessionTxn.OPEN

    fun begin() {
        txn = Open(documents.committed.get())
    }

    fun rollback() {
        txn = null
    }

    /** The first committer wins. */
    fun commit() {
        val mine = checkNotNull(txn)
        txn = null
        documents.committed.updateAndGet { now ->
            mine.own.keys.firstOrNull { now[it] !== mine.base[it] }?.let { throw DocumentConflict(it) }
            now.with(mine.own)
        }
    }

    fun savepoint(name: String) = checkNotNull(txn).run { savepoints[name] = own }

    fun release(name: String) = checkNotNull(txn).run { checkNotNull(savepoints.remove(name)) }

    fun rollbackTo(name: String) {
        val mine = checkNotNull(txn)
        mine.own = release(name)
    }

    fun get(collection: String, id: String): Document? = visible()[collection to id]

    fun ids(collection: String): List<String> =
        visible().keys.filter { it.first == collection }.map { it.second }.sorted()

    fun put(collection: String, id: String, document: Document?) {
        val change = mapOf(collection to id to document)
        val mine = txn
        if (mine == null) documents.committed.updateAndGet { it.with(change) } else mine.own += change
    }

    private fun visible(): Map<Place, Document> = txn?.run { base.with(own) } ?: documents.committed.get()

    private fun Map<Place, Document>.with(over: Map<Place, Document?>): Map<Place, Document> = buildMap {
        putAll(this@with)
        for ((place, document) in over) if (document == null) remove(place) else put(place, document)
    }
}

class DocumentDriver : StorageDriver<DocumentSession> {
    override val kind = StorageKind.DOCUMENT
    override val capabilities = Capabilities(setOf(Isolation.SNAPSHOT), savepoints = true)

    override suspend fun begin(session: DocumentSession, policy: TxnPolicy) = session.begin()

    override suspend fun commit(session: DocumentSession) = session.commit()

    override suspend fun rollback(session: DocumentSession) = session.rollback()

    override suspend fun savepoint(session: DocumentSession, name: String) = session.savepoint(name)

    override suspend fun releaseSavepoint(session: DocumentSession, name: String) {
        session.release(name)
    }

    override suspend fun rollbackToSavepoint(session: DocumentSession, name: String) = session.rollbackTo(name)

    override fun txnOf(session: DocumentSession) = session.state

    override fun classify(error: Throwable) = when (error) {
        is DocumentConflict -> ErrorInfo(ErrorCategory.SERIALIZATION)
        is DuplicateDocument -> ErrorInfo(ErrorCategory.UNIQUE)
        else -> null
    }
}

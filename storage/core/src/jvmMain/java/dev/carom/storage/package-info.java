/**
 * Pools, connections and transactions of any storage. From Java: {@link dev.carom.storage.sql.BlockingSqlPool} and
 * {@link dev.carom.storage.keyvalue.BlockingKeyValuePool} block, {@link dev.carom.storage.StorageFutures},
 * {@link dev.carom.storage.sql.SqlFutures} and {@link dev.carom.storage.keyvalue.KeyValueFutures} do not; a storage
 * type of one's own stands on {@link dev.carom.storage.BlockingStoragePool} and
 * {@link dev.carom.storage.BlockingSessions}. No type here is null unless it says so.
 */
@NullMarked
package dev.carom.storage;

import org.jspecify.annotations.NullMarked;

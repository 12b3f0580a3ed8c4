/**
 * Key-value storage over Redis and Valkey. From Java: {@link dev.carom.storage.redis.BlockingRedis}. No type here is
 * null unless it says so.
 */
@NullMarked
package dev.carom.storage.redis;

import org.jspecify.annotations.NullMarked;

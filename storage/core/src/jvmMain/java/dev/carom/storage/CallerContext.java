package dev.carom.storage;

import kotlin.coroutines.CoroutineContext;

/**
 * What callers of the blocking and of the future-based facades carry on their threads and want to find again in hooks and in
 * what runs for them on other threads: the fields of a log, a span of a trace. Kotlin callers have it in their coroutine
 * context already.
 *
 * <p>Found by {@link java.util.ServiceLoader}: name the class in
 * {@code META-INF/services/dev.carom.storage.CallerContext}. With {@code kotlinx-coroutines-slf4j} it is
 * {@code return new MDCContext();}, with {@code opentelemetry-extension-kotlin}
 * {@code return ContextExtensionsKt.asContextElement(Context.current());}.
 */
@FunctionalInterface
public interface CallerContext {
    /**
     * What the calling thread carries now. Called for each call of a facade, on the caller's thread; must be quick and must
     * not throw.
     */
    CoroutineContext capture();
}

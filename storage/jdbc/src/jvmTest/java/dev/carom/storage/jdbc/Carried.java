package dev.carom.storage.jdbc;

import dev.carom.storage.CallerContext;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.context.Context;
import io.opentelemetry.extension.kotlin.ContextExtensionsKt;
import kotlin.coroutines.CoroutineContext;
import kotlinx.coroutines.slf4j.MDCContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** What this thread carries. Also a function of H2, which runs on whatever thread the statement does. */
public final class Carried implements CallerContext {
    static final String KEY = "user";

    /** {@code mdc/trace}. */
    public static String now() {
        return MDC.get(KEY) + "/" + trace();
    }

    private static @Nullable String trace() {
        return Baggage.current().getEntryValue(KEY);
    }

    /** The current trace, with {@code user} in its baggage. */
    static Context traced(String user) {
        return Baggage.builder().put(KEY, user).build().storeInContext(Context.current());
    }

    @Override
    public CoroutineContext capture() {
        return new MDCContext().plus(ContextExtensionsKt.asContextElement(Context.current()));
    }
}

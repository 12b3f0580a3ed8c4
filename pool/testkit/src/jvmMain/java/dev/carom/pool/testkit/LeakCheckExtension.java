package dev.carom.pool.testkit;

import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A {@link LeakCheck} around each JUnit test: a test that leaves something behind fails, unless it has failed already.
 *
 * <pre>{@code
 * @ExtendWith(LeakCheckExtension.class)
 * class MyTest {
 *     @Test
 *     void works(LeakCheck leaks) { … }
 * }
 * }</pre>
 *
 * The parameter is for those who have a job to {@link LeakCheck#watch}. With threads that may stay, or another grace,
 * use {@code @RegisterExtension}.
 */
public final class LeakCheckExtension implements BeforeEachCallback, AfterEachCallback, ParameterResolver {
    private static final long GRACE_MILLIS = 20_000;
    private static final Namespace NAMESPACE = Namespace.create(LeakCheckExtension.class);

    private final List<String> ignoredThreads;
    private final long graceMillis;

    /** Ignores only the usual threads, and gives them up to 20 s. */
    public LeakCheckExtension() {
        this(List.of(), GRACE_MILLIS);
    }

    /**
     * With numbers of one's own.
     *
     * @param ignoredThreads beginnings of the names of threads that may stay
     * @param graceMillis how long what is on its way out may take, in milliseconds
     */
    public LeakCheckExtension(List<String> ignoredThreads, long graceMillis) {
        this.ignoredThreads = List.copyOf(ignoredThreads);
        this.graceMillis = graceMillis;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        of(context);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (context.getExecutionException().isEmpty()) of(context).check(graceMillis);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == LeakCheck.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return of(context);
    }

    private LeakCheck of(ExtensionContext context) {
        return context.getStore(NAMESPACE)
                .getOrComputeIfAbsent(context.getUniqueId(), id -> new LeakCheck(ignoredThreads), LeakCheck.class);
    }
}

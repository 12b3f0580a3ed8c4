package dev.carom.pool;

import dev.carom.pool.internal.JavaPolicies;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Makes {@link ClaimOptions}: what one claim asks for beyond the policy. A builder is for one thread. */
public final class ClaimOptionsBuilder {
    private @Nullable String holder;
    private final Map<String, String> tags = new LinkedHashMap<>();
    private @Nullable Duration timeout;
    private boolean reserved;
    private @Nullable Role role;
    private @Nullable Predicate<? super Backend> accepts;
    private boolean allowNested;

    /** A builder of options that ask for nothing special. */
    public ClaimOptionsBuilder() {}

    /**
     * The options.
     *
     * @throws IllegalArgumentException if the timeout is not positive
     */
    public ClaimOptions build() {
        return JavaPolicies.options(holder, Map.copyOf(tags), timeout, reserved, role, accepts, allowNested);
    }

    /** Who claims, for reports; by default the thread's name. */
    public ClaimOptionsBuilder holder(String holder) {
        this.holder = Objects.requireNonNull(holder, "holder");
        return this;
    }

    /** Something else that reports should say of the holder. Never a secret: it is shown. */
    public ClaimOptionsBuilder tag(String name, String value) {
        tags.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        return this;
    }

    /** Longest wait, preparation and retries included; by default {@link PoolPolicyBuilder#claimTimeout()}. Positive. */
    public ClaimOptionsBuilder timeout(Duration timeout) {
        this.timeout = Objects.requireNonNull(timeout, "timeout");
        return this;
    }

    /** Whether the claim goes by the reserved lane, ahead of all others. For health checks and administration. */
    public ClaimOptionsBuilder reserved(boolean reserved) {
        this.reserved = reserved;
        return this;
    }

    /** The role the backend must have. */
    public ClaimOptionsBuilder role(Role role) {
        this.role = Objects.requireNonNull(role, "role");
        return this;
    }

    /** Which backends will do. Called often, sometimes while others wait: quick, without effects, never throwing. */
    public ClaimOptionsBuilder accepts(Predicate<? super Backend> accepts) {
        this.accepts = Objects.requireNonNull(accepts, "accepts");
        return this;
    }

    /** Only these backends will do. */
    public ClaimOptionsBuilder only(Backend... backends) {
        return accepts(Set.of(backends)::contains);
    }

    /** All backends will do but these. */
    public ClaimOptionsBuilder except(Backend... backends) {
        Set<Backend> refused = Set.of(backends);
        return accepts(backend -> !refused.contains(backend));
    }

    /** Whether a claim inside another claim of the same pool is meant. */
    public ClaimOptionsBuilder allowNested(boolean allowNested) {
        this.allowNested = allowNested;
        return this;
    }
}

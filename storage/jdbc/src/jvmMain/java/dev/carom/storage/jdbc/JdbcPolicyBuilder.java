package dev.carom.storage.jdbc;

import dev.carom.pool.Role;
import dev.carom.storage.jdbc.internal.JavaPolicies;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Builds a {@link JdbcPolicy}. Values are checked by {@link #build}. */
public final class JdbcPolicyBuilder {
    private @Nullable Role role;
    private Duration checkInterval = Duration.ZERO;
    private Duration linger = Duration.ZERO;
    private Duration validateAfter = Duration.ZERO;

    /** A builder that has the defaults. */
    public JdbcPolicyBuilder() {
        this(new JdbcPolicy());
    }

    private JdbcPolicyBuilder(JdbcPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static JdbcPolicyBuilder from(JdbcPolicy policy) {
        return new JdbcPolicyBuilder(policy);
    }

    /**
     * The result.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public JdbcPolicy build() {
        return JavaPolicies.build(this);
    }

    /** What the backends must be for, as the servers themselves say; null: any, and nobody asks. */
    public JdbcPolicyBuilder role(@Nullable Role role) {
        this.role = role;
        return this;
    }

    /** See {@link #role(Role)}. */
    public @Nullable Role role() {
        return role;
    }

    /**
     * How often PostgreSQL looks whether the client of a running statement is still there. 1 ms to 1 h; zero leaves the
     * server's own setting.
     */
    public JdbcPolicyBuilder checkInterval(Duration checkInterval) {
        this.checkInterval = checkInterval;
        return this;
    }

    /** See {@link #checkInterval(Duration)}. */
    public Duration checkInterval() {
        return checkInterval;
    }

    /** How long a connection that was cut off under a statement still counts. Not negative. */
    public JdbcPolicyBuilder linger(Duration linger) {
        this.linger = linger;
        return this;
    }

    /** See {@link #linger(Duration)}. */
    public Duration linger() {
        return linger;
    }

    /**
     * How long a connection may have been idle before it is asked, when it is lent, whether it still works. Not negative;
     * zero asks always, {@code Duration.ofSeconds(Long.MAX_VALUE)} never.
     */
    public JdbcPolicyBuilder validateAfter(Duration validateAfter) {
        this.validateAfter = validateAfter;
        return this;
    }

    /** See {@link #validateAfter(Duration)}. */
    public Duration validateAfter() {
        return validateAfter;
    }
}

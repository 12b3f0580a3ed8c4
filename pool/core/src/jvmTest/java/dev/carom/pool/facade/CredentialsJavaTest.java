package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.carom.pool.AuthenticationFailed;
import dev.carom.pool.Backend;
import dev.carom.pool.BlockingCredentialsProvider;
import dev.carom.pool.Credentials;
import dev.carom.pool.CredentialsProvider;
import dev.carom.pool.Secret;
import java.io.IOException;
import java.io.Serializable;
import java.util.concurrent.atomic.AtomicReference;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlinx.coroutines.BuildersKt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class CredentialsJavaTest {
    private static final Backend BACKEND = new Backend("db", "10.0.0.1", 1);

    @Test
    @DisplayName("a blocking provider is asked for each connection, on another thread")
    void blockingProvider() throws Exception {
        AtomicReference<Thread> asked = new AtomicReference<>();
        BlockingCredentialsProvider blocking = backend -> {
            asked.set(Thread.currentThread());
            return new Credentials("app@" + backend.getName(), Secret.of("pw"));
        };
        Credentials credentials = ask(blocking.toProvider());
        assertEquals("app@db", credentials.getUser());
        assertEquals("pw", credentials.getPassword().reveal());
        assertNotEquals(Thread.currentThread(), asked.get());
    }

    @Test
    @DisplayName("what a blocking provider throws is what the connect gets")
    void failing() {
        BlockingCredentialsProvider blocking = backend -> {
            throw new IOException("the vault is sealed");
        };
        IOException failure = assertThrows(IOException.class, () -> ask(blocking.toProvider()));
        assertEquals("the vault is sealed", failure.getMessage());
    }

    @Test
    @DisplayName("a secret is used, compared and wiped from Java, and is not serializable")
    void secret() {
        Secret secret = new Secret("pw".toCharArray());
        assertEquals("pw", secret.<String>use(String::new));
        assertEquals(Secret.of("pw"), secret);
        assertEquals("Secret(***)", secret.toString());
        assertFalse(Serializable.class.isAssignableFrom(Secret.class));
        secret.wipe();
        assertThrows(IllegalStateException.class, secret::reveal);
    }

    @Test
    @DisplayName("a connector in Java can say that a login was refused, also by an exception of its own")
    void refused() {
        class BadPassword extends AuthenticationFailed {
            private static final long serialVersionUID = 1;

            BadPassword(Throwable cause) {
                super("no", cause);
            }
        }
        assertEquals("no", new BadPassword(new IOException()).getMessage());
        assertEquals("no", new AuthenticationFailed("no").getMessage());
    }

    private static Credentials ask(CredentialsProvider provider) throws InterruptedException {
        return BuildersKt.runBlocking(
                EmptyCoroutineContext.INSTANCE, (scope, k) -> provider.credentials(BACKEND, k));
    }
}

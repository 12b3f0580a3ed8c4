package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Method;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Threads of a test, which ends them by joining. */
final class Threads {
    private Threads() {}

    /** A thread whose outcome can be asked for. */
    record Running<T>(Thread thread, CompletableFuture<T> outcome) {
        T result() throws Exception {
            try {
                return outcome.get(30, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            } finally {
                thread.join();
            }
        }
    }

    static <T> Running<T> start(String name, Callable<T> body) {
        CompletableFuture<T> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> complete(outcome, body), name);
        thread.start();
        return new Running<>(thread, outcome);
    }

    /** Skips the test when this JVM has no virtual threads. */
    static <T> Running<T> startVirtual(Callable<T> body) throws ReflectiveOperationException {
        assumeTrue(Runtime.version().feature() >= 21, "virtual threads");
        CompletableFuture<T> outcome = new CompletableFuture<>();
        Method start = Thread.class.getMethod("startVirtualThread", Runnable.class);
        Runnable task = () -> complete(outcome, body);
        return new Running<>((Thread) start.invoke(null, task), outcome);
    }

    /** Waits for what another thread brings about; the test's own time limit ends it by an interrupt. */
    static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            if (Thread.interrupted()) throw new InterruptedException();
            Thread.yield();
        }
    }

    private static <T> void complete(CompletableFuture<T> outcome, Callable<T> body) {
        try {
            outcome.complete(body.call());
        } catch (Throwable e) {
            outcome.completeExceptionally(e);
        }
    }
}

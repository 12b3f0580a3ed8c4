package dev.carom.storage.r2dbc;

/** A function of H2. */
public final class Threads {
    private Threads() {}

    public static String here() {
        return Thread.currentThread().getName();
    }
}

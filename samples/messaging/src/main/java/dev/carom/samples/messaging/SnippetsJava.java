package dev.carom.samples.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.carom.pool.Resolver;
import dev.carom.sockets.BlockingReqSocket;

/** What the README shows, compiled. */
public final class SnippetsJava {
    private SnippetsJava() {}

    // snippet: java-sockets
    static String ask(Resolver service, String item) throws InterruptedException {
        try (var prices = BlockingReqSocket.open("prices")) {
            prices.connect(service);
            return new String(prices.request(item.getBytes(UTF_8)), UTF_8);
        }
    }
    // end
}

package dev.carom.samples.echo;

import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolver;
import dev.carom.pool.dns.DnsConfig;
import dev.carom.pool.dns.DnsResolverBuilder;
import dev.carom.pool.net.TcpConnection;
import dev.carom.pool.net.TcpConnector;
import java.nio.charset.StandardCharsets;

/** What the README shows, compiled. */
public final class SnippetsJava {
    private SnippetsJava() {}

    // snippet: java-start
    static String echo(DnsConfig dns, byte[] line) throws Exception {
        Resolver resolver = new DnsResolverBuilder("shop.test").service("_echo._tcp").config(dns).build();
        var policy = new PoolPolicyBuilder().spares(4).maxSlots(8).build();
        try (var pool = BlockingPool.open("echo", resolver, new TcpConnector(), policy)) {
            return pool.use((TcpConnection connection) -> {
                connection.outputStream().write(line);
                return new String(connection.inputStream().readNBytes(line.length), StandardCharsets.UTF_8);
            });
        }
    }
    // end
}

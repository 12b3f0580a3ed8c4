package dev.carom.sockets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.sockets.transport.LinkOptions;
import dev.carom.sockets.transport.LinkOptionsBuilder;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SocketPolicyBuilderTest {
    @Test
    void theDefaultsAreThoseOfThePolicy() {
        assertEquals(new SocketPolicy().toString(), new SocketPolicyBuilder().build().toString());
    }

    @Test
    void everyPropertyCanBeSetAndRead() {
        SocketPolicy policy = new SocketPolicyBuilder()
            .receiveLimit(10)
            .sendQueue(0)
            .receiveQueueBytes(1 << 30)
            .resend(null)
            .requestTimeout(Duration.ofMillis(1500))
            .overflow(Overflow.DropLatest)
            .link(new LinkOptionsBuilder().sendBuffer(4096).keepAliveIdle(Duration.ofSeconds(7)).build())
            .build();

        assertEquals(10, policy.getReceiveLimit());
        assertEquals(1 << 30, policy.getReceiveQueueBytes());
        assertEquals(4096, policy.getLink().getSendBuffer());
        SocketPolicyBuilder read = SocketPolicyBuilder.from(policy);
        assertNull(read.resend());
        assertEquals(Duration.ofMillis(1500), read.requestTimeout());
        assertEquals(Overflow.DropLatest, read.overflow());
        assertEquals(policy.toString(), read.build().toString());
    }

    @Test
    void linksHaveABuilderOfTheirOwn() {
        assertEquals(new LinkOptions().toString(), new LinkOptionsBuilder().build().toString());
        LinkOptions options = new LinkOptionsBuilder()
            .noDelay(false)
            .keepAliveIdle(Duration.ofSeconds(60))
            .keepAliveInterval(Duration.ofSeconds(10))
            .keepAliveCount(9)
            .backlog(7)
            .build();
        assertEquals(options.toString(), LinkOptionsBuilder.from(options).build().toString());
        assertEquals(Duration.ofSeconds(60), LinkOptionsBuilder.from(options).keepAliveIdle());
        assertEquals(
            "keepAliveIdle must be whole seconds in 0..32767, was 1.5s",
            assertThrows(
                IllegalArgumentException.class,
                () -> new LinkOptionsBuilder().keepAliveIdle(Duration.ofMillis(1500)).build()
            ).getMessage()
        );
    }

    @Test
    void thereIsASetterForEachPropertyOfThePolicy() {
        long properties = Arrays.stream(SocketPolicy.class.getMethods())
            .map(Method::getName)
            .filter(name -> name.startsWith("get") && !name.equals("getClass"))
            .count();
        long setters = Arrays.stream(SocketPolicyBuilder.class.getMethods())
            .filter(method -> method.getParameterCount() == 1 && method.getReturnType() == SocketPolicyBuilder.class)
            .filter(method -> !method.getName().equals("from"))
            .count();
        assertEquals(properties, setters);
    }

    @Test
    void aValueOutOfBoundsIsRefusedWithTheValueAndTheBound() {
        SocketPolicyBuilder builder = new SocketPolicyBuilder().maxHops(256);
        String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertTrue(message.contains("1..255") && message.contains("256"), message);

        SocketPolicyBuilder none = new SocketPolicyBuilder().receiveQueueBytes(0);
        String bytes = assertThrows(IllegalArgumentException.class, none::build).getMessage();
        assertTrue(bytes.contains("receiveQueueBytes must be in 1..1073741824, was 0"), bytes);
    }
}

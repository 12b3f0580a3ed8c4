package dev.carom.sockets;

import dev.carom.sockets.transport.Acceptor;
import dev.carom.sockets.transport.Addressing;
import dev.carom.sockets.transport.Framing;
import dev.carom.sockets.transport.Link;
import dev.carom.sockets.transport.LinkHandler;
import dev.carom.sockets.transport.LinkOptions;
import dev.carom.sockets.transport.Listener;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.SocketAddress;
import dev.carom.sockets.transport.Transport;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/** A transport of a user's own, in Java: TCP under the scheme {@code counted}, which counts the bytes that come in. */
@NullMarked
final class CountingTransport implements Transport {
    final AtomicLong bytes = new AtomicLong();
    private final Transport tcp = NioTransports.tcp();

    @Override
    public String getScheme() {
        return "counted";
    }

    @Override
    public Addressing getAddressing() {
        return Addressing.HostPort;
    }

    @Override
    public Framing getFraming() {
        return Framing.Stream;
    }

    @Override
    public Link dial(SocketAddress address, LinkOptions options, LinkHandler handler) {
        return tcp.dial(address, options, new Counted(handler));
    }

    @Override
    public Listener listen(SocketAddress address, LinkOptions options, Acceptor acceptor) {
        return tcp.listen(address, options, new Acceptor() {
            @Override
            public void onBound(SocketAddress bound) {
                acceptor.onBound(bound);
            }

            @Override
            public @Nullable LinkHandler onAccept(Link link) {
                LinkHandler handler = acceptor.onAccept(link);
                return handler == null ? null : new Counted(handler);
            }

            @Override
            public void onAcceptFailed(Throwable cause) {
                acceptor.onAcceptFailed(cause);
            }

            @Override
            public void onClosed(@Nullable Throwable cause) {
                acceptor.onClosed(cause);
            }
        });
    }

    private final class Counted implements LinkHandler {
        private final LinkHandler handler;

        Counted(LinkHandler handler) {
            this.handler = handler;
        }

        @Override
        public void onOpen(Link link) {
            handler.onOpen(link);
        }

        @Override
        public void onBytes(byte[] array, int from, int to) {
            bytes.addAndGet(to - from);
            handler.onBytes(array, from, to);
        }

        @Override
        public void onWritable() {
            handler.onWritable();
        }

        @Override
        public void onEnd() {
            handler.onEnd();
        }

        @Override
        public void onClosed(@Nullable Throwable cause) {
            handler.onClosed(cause);
        }
    }
}

package dev.carom.gossip;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A transport as a Java programmer writes one: plain sockets, that heed no interrupt, on one loopback port. */
final class SocketTransport implements BlockingTransport<NodeId> {
    private static final int BIND_ATTEMPTS = 50;
    private static final int MOST = SwimPolicy.MAX_STREAM + 256;

    private final ServerSocket listener;
    private final DatagramSocket socket;

    /** Receives that are to fail. */
    final AtomicInteger failures = new AtomicInteger();

    final AtomicInteger running = new AtomicInteger();

    SocketTransport() throws IOException {
        Pair pair = bindBoth();
        listener = pair.listener();
        socket = pair.socket();
    }

    private record Pair(ServerSocket listener, DatagramSocket socket) {}

    /** TCP picks a free port; somebody else may have the same number for UDP, so it is tried again. */
    private static Pair bindBoth() throws IOException {
        for (int attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
            ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            try {
                return new Pair(listener, new DatagramSocket(
                        new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort())));
            } catch (BindException e) {
                listener.close();
            }
        }
        throw new BindException("no port free for both UDP and TCP in " + BIND_ATTEMPTS + " attempts");
    }

    NodeAddress address() {
        return new NodeAddress(listener.getInetAddress().getAddress(), listener.getLocalPort());
    }

    @Override
    public byte[] receive() throws IOException {
        running.incrementAndGet();
        try {
            DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
            socket.receive(packet);
            if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) throw new IOException("lost for the test");
            return Arrays.copyOf(packet.getData(), packet.getLength());
        } finally {
            running.decrementAndGet();
        }
    }

    @Override
    public void serve(Answers answers) throws IOException {
        running.incrementAndGet();
        try {
            while (true) {
                try (Socket stream = listener.accept()) {
                    stream.setSoTimeout(5_000);
                    serveOne(stream, answers);
                }
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            running.decrementAndGet();
        }
    }

    private static void serveOne(Socket stream, Answers answers) throws InterruptedException {
        try {
            byte[] answer = answers.answer(read(stream));
            if (answer != null) write(stream, answer);
        } catch (IOException e) {
            // The asker is gone; it matters to nobody else.
        }
    }

    @Override
    public void send(NodeId to, byte[] datagram) throws IOException {
        socket.send(new DatagramPacket(datagram, datagram.length, where(to)));
    }

    @Override
    public byte @Nullable [] ask(NodeId to, byte[] request) throws IOException {
        try (Socket stream = new Socket()) {
            stream.connect(where(to), 5_000);
            stream.setSoTimeout(5_000);
            write(stream, request);
            return read(stream);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
        listener.close();
    }

    private static InetSocketAddress where(NodeId to) throws IOException {
        return new InetSocketAddress(InetAddress.getByAddress(to.getAt().ip()), to.getAt().getPort());
    }

    private static void write(Socket stream, byte[] bytes) throws IOException {
        DataOutputStream out = new DataOutputStream(stream.getOutputStream());
        out.writeInt(bytes.length);
        out.write(bytes);
        out.flush();
    }

    private static byte[] read(Socket stream) throws IOException {
        DataInputStream in = new DataInputStream(stream.getInputStream());
        int length = in.readInt();
        if (length < 0 || length > MOST) throw new IOException("a frame of " + length + " bytes");
        return in.readNBytes(length);
    }
}

package dev.carom.bench.sockets;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Locale;
import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/**
 * JeroMQ's part: {@code ask}, {@code echo}, {@code flood} or {@code count} at a URL, one window for each line
 * {@code BYTES MILLISECONDS} of the standard input, as {@code spperf --windows} and the programs in C do. All settings as
 * delivered.
 */
public final class JeromqWindows {
    private static final int FEW = 1 << 14;
    private static final int BATCH = 64;
    private static final byte FIRST = 1;
    private static final byte LAST = 2;

    private final BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
    private final ZMQ.Socket socket;

    private JeromqWindows(ZMQ.Socket socket) {
        this.socket = socket;
    }

    public static void main(String[] args) throws IOException {
        try (ZContext context = new ZContext()) {
            switch (args[0]) {
                case "ask" -> new JeromqWindows(connected(context, SocketType.REQ, args[1])).ask();
                case "echo" -> new JeromqWindows(bound(context, SocketType.REP, args[1])).echo();
                case "flood" -> new JeromqWindows(connected(context, SocketType.PUSH, args[1])).flood();
                case "count" -> new JeromqWindows(bound(context, SocketType.PULL, args[1])).count();
                default -> throw new IllegalArgumentException("ask, echo, flood or count, not " + args[0]);
            }
        }
    }

    private static ZMQ.Socket connected(ZContext context, SocketType type, String url) {
        ZMQ.Socket socket = context.createSocket(type);
        socket.connect(url);
        return socket;
    }

    private static ZMQ.Socket bound(ZContext context, SocketType type, String url) {
        ZMQ.Socket socket = context.createSocket(type);
        socket.bind(url);
        return socket;
    }

    private void ask() throws IOException {
        for (String order = orders.readLine(); order != null; order = orders.readLine()) {
            byte[] message = new byte[size(order)];
            long[] trips = new long[FEW];
            int count = 0;
            long end = System.nanoTime() + nanos(order);
            while (System.nanoTime() < end) {
                if (count == trips.length) {
                    trips = Arrays.copyOf(trips, count * 2);
                }
                long begin = System.nanoTime();
                socket.send(message);
                byte[] back = socket.recv();
                trips[count++] = System.nanoTime() - begin;
                if (back.length != message.length) {
                    throw new IllegalStateException(message.length + " bytes were sent, " + back.length + " came back");
                }
            }
            tell(message.length, Arrays.copyOf(trips, count));
        }
    }

    private void echo() {
        endWithInput();
        while (true) {
            socket.send(socket.recv());
        }
    }

    private void flood() throws IOException {
        for (String order = orders.readLine(); order != null; order = orders.readLine()) {
            int size = size(order);
            long end = System.nanoTime() + nanos(order);
            socket.send(marked(size, FIRST));
            while (System.nanoTime() < end) {
                for (int i = 0; i < BATCH; i++) {
                    socket.send(new byte[size]);
                }
            }
            socket.send(marked(size, LAST));
        }
    }

    private void count() {
        endWithInput();
        long begin = 0;
        long count = 0;
        while (true) {
            byte[] message = socket.recv();
            if (message[0] == FIRST) {
                begin = System.nanoTime();
                count = 0;
            } else if (message[0] == LAST) {
                tell(message.length, count + 1, System.nanoTime() - begin);
            } else {
                count++;
            }
        }
    }

    private static byte[] marked(int size, byte mark) {
        byte[] message = new byte[size];
        message[0] = mark;
        return message;
    }

    private static int size(String order) {
        return Integer.parseInt(order.trim().split(" ")[0]);
    }

    private static long nanos(String order) {
        return Long.parseLong(order.trim().split(" ")[1]) * 1_000_000;
    }

    private void endWithInput() {
        Thread thread = new Thread(
                () -> {
                    try {
                        while (orders.readLine() != null) {
                            // Whatever it says.
                        }
                        Runtime.getRuntime().halt(0);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                "end-with-input");
        thread.setDaemon(true);
        thread.start();
    }

    private static void tell(int size, long[] trips) {
        Arrays.sort(trips);
        System.out.printf(
                Locale.ROOT,
                "{\"size\":%d,\"count\":%d,\"mean_us\":%.3f,\"p50_us\":%.3f,\"p99_us\":%.3f}%n",
                size,
                trips.length,
                Arrays.stream(trips).average().orElse(0) / 1e3,
                percentile(trips, 50),
                percentile(trips, 99));
    }

    private static void tell(int size, long count, long nanos) {
        System.out.printf(
                Locale.ROOT,
                "{\"size\":%d,\"count\":%d,\"seconds\":%.6f,\"messages_per_second\":%.0f}%n",
                size,
                count,
                nanos / 1e9,
                count * 1e9 / nanos);
    }

    private static double percentile(long[] sorted, double percent) {
        int rank = (int) Math.ceil(percent * sorted.length / 100);
        return sorted[Math.max(rank, 1) - 1] / 1e3;
    }
}

/**
 * Carom's pool for Java callers: connections to every backend of one service, lent one caller at a time.
 *
 * <pre>{@code
 * PoolPolicy policy = new PoolPolicyBuilder().maxSlots(32).claimTimeout(Duration.ofSeconds(5)).build();
 * Resolver resolver = Resolvers.fixedResolver(new Backend("db1", "10.0.0.7", 5432));
 *
 * class SocketConnector implements BlockingConnector<Socket> {
 *     public Socket connect(Backend backend) throws IOException {
 *         return new Socket(backend.getHost(), backend.getPort());
 *     }
 *     public void close(Socket socket) throws IOException {
 *         socket.close();
 *     }
 * }
 *
 * try (BlockingPool<Socket> pool = BlockingPool.open("db", resolver, new SocketConnector(), policy)) {
 *     pool.awaitReady();
 *     try (Claim<Socket> claim = pool.claim()) {
 *         claim.getConnection().getOutputStream().write(42);
 *     }
 * }
 * }</pre>
 *
 * <p>{@link dev.carom.pool.BlockingPool} blocks the calling thread, virtual or not;
 * {@link dev.carom.pool.PoolFutures} ({@code pool.futures()}) never does. What a pool is, in which order it serves
 * and how it ends is said in {@link dev.carom.pool.Pool}, which both stand on. No type here is null unless it says
 * so.
 */
@NullMarked
package dev.carom.pool;

import org.jspecify.annotations.NullMarked;

/**
 * Carom's gossip for Java callers: who is in the cluster, decided by members that talk to each other, without a server.
 *
 * <pre>{@code
 * NodeId self = new NodeId(new NodeAddress(new byte[] {10, 0, 0, 1}, 7946), Instant.now().getEpochSecond());
 * Swim<NodeId> swim = new Swim<>(
 *         self, SwimPolicy.lan(), new NativeCodec<>(new NodeIdCodec()), RandomKt.Random(42));
 *
 * for (SwimEffect<NodeId> effect : swim.on(new SwimEvent.PacketReceived<>(bytes), System.nanoTime() - start)) {
 *     if (effect instanceof SwimEffect.Send<NodeId> send) {
 *         socket.send(send.getTo(), send.getPacket());
 *     } else if (effect instanceof SwimEffect.Notify<NodeId> notify) {
 *         System.out.println(notify.getNotice());
 *     }
 * }
 * }</pre>
 *
 * <p>{@link dev.carom.gossip.Swim} is the state machine; it does no I/O and reads no clock. {@link
 * dev.carom.gossip.BlockingGossip} is the member that runs, over a {@link dev.carom.gossip.BlockingTransport} of your own
 * or the one in {@code carom-gossip-net}. An {@link dev.carom.gossip.Identity}, an {@link dev.carom.gossip.IdentityCodec},
 * a whole {@link dev.carom.gossip.MemberCodec}, an {@link dev.carom.gossip.Envelope}, a {@link
 * dev.carom.gossip.BroadcastHandler}, an {@link dev.carom.gossip.Admission} and {@link dev.carom.gossip.BlockingSeeds} can
 * be written in Java. No type here is null unless it says so.
 */
@NullMarked
package dev.carom.gossip;

import org.jspecify.annotations.NullMarked;

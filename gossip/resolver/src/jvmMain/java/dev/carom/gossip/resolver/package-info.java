/**
 * Gossip members as the backends of a pool, and a pool's resolver as the seeds of gossip.
 *
 * <pre>{@code
 * // the member that serves
 * BlockingOffering<NodeId> offering = BlockingOffering.of(gossip);
 * offering.offer(List.of(new OfferBuilder("web", 8080).zone("a").weight(2).build()));
 * ...
 * offering.leave(Duration.ofSeconds(2), Duration.ofSeconds(30), server::awaitIdle);
 *
 * // the member that uses
 * Resolver web = GossipResolverBuilder.nodes(gossip).role("web").build();
 * BlockingPool<TcpConnection> pool = BlockingPool.open("web", web, new TcpConnector(), policy);
 * }</pre>
 *
 * <p>No type here is null unless it says so.
 */
@NullMarked
package dev.carom.gossip.resolver;

import org.jspecify.annotations.NullMarked;

/**
 * Gossip members over UDP and TCP. Packets and streams are encrypted with the cluster's keys unless
 * {@link dev.carom.gossip.net.GossipSecurity#insecure()} says otherwise. No type here is null unless it says so.
 */
@NullMarked
package dev.carom.gossip.net;

import org.jspecify.annotations.NullMarked;

package dev.carom.bench;

import org.openjdk.jmh.annotations.Threads;

/**
 * What do two threads pay that share 10 connections, so that nobody ever waits and the pool itself is all they contend
 * for?
 */
@Threads(2)
public class BlockingTwoThreads extends BlockingUncontended {}

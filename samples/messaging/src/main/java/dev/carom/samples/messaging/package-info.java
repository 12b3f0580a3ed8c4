/** The messaging sample, from Java. */
@org.jspecify.annotations.NullMarked
package dev.carom.samples.messaging;

/** Servers and fakes for the tests of whoever uses a pool. */
@NullMarked
package dev.carom.pool.testkit;

import org.jspecify.annotations.NullMarked;

package dev.carom.pool.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

class LeakCheckExtensionTest {
    @Test
    @DisplayName("of two tests, the one that leaves a thread behind fails, and the message has its name")
    void fails() {
        var request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(Leaky.class))
                .filters(EngineFilter.includeEngines("junit-jupiter"))
                .build();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request, listener);
        Leaky.end.countDown();
        TestExecutionSummary summary = listener.getSummary();
        assertEquals(1, summary.getTestsSucceededCount());
        assertEquals(1, summary.getTestsFailedCount());
        TestExecutionSummary.Failure failure = summary.getFailures().get(0);
        assertEquals("leaves()", failure.getTestIdentifier().getDisplayName());
        String message = String.valueOf(failure.getException().getMessage());
        assertTrue(message.contains("thread \"left behind\""), message);
    }

    /** Not run by itself: its name does not end in Test. */
    static class Leaky {
        static final CountDownLatch end = new CountDownLatch(1);

        @RegisterExtension
        final LeakCheckExtension leaks = new LeakCheckExtension(List.of("may stay"), 0);

        @Test
        void leaves() {
            start("left behind");
        }

        @Test
        void behaves() {
            start("may stay 1");
        }

        private static void start(String name) {
            Thread thread = new Thread(
                    () -> {
                        try {
                            end.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    },
                    name);
            thread.setDaemon(true);
            thread.start();
        }
    }
}

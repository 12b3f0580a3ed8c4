package dev.carom.storage.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.carom.storage.BlockingChangeSet;
import dev.carom.storage.FailOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class BlockingChangeSetTest {
    @Test
    @DisplayName("what is deferred runs at the end, in order, or is undone")
    void changeSet() {
        List<String> seen = new ArrayList<>();
        int result = BlockingChangeSet.run(FailOrder.REGISTERED, set -> {
            set.defer(() -> seen.add("a"));
            set.defer(() -> seen.add("b"));
            set.deferFail(() -> seen.add("never"));
            return seen.size();
        });
        assertEquals(0, result);
        assertEquals(List.of("a", "b"), seen);
        IllegalStateException mine = new IllegalStateException("mine");
        assertSame(mine, assertThrows(IllegalStateException.class, () -> BlockingChangeSet.run(FailOrder.REVERSE, set -> {
            set.defer(() -> seen.add("never"));
            set.deferFail(() -> seen.add("first"));
            set.deferFail(() -> seen.add("last"));
            throw mine;
        })));
        assertEquals(List.of("a", "b", "last", "first"), seen);
    }
}

package dev.carom.sockets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class ProtocolFromJavaTest {
    @Test
    void theTableOfProtocolsIsReadable() {
        for (Protocol protocol : Protocol.values()) {
            assertSame(protocol, protocol.getPeer().getPeer());
            assertSame(protocol, Protocol.ofCode(protocol.getCode()));
        }
        assertEquals("rep", Protocol.Req.getPeer().getLabel());
        assertNull(Protocol.ofCode(0x60));
    }
}

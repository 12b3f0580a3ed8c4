package dev.carom.storage.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.carom.storage.StorageException;
import dev.carom.storage.sql.ColumnInfo;
import dev.carom.storage.sql.Nullability;
import dev.carom.storage.sql.Row;
import dev.carom.storage.sql.RowRecords;
import dev.carom.storage.sql.RowValues;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class RowValuesJavaTest {
    record Order(long id, BigDecimal total, LocalDate placedOn, Status status) {}

    enum Status {
        OPEN,
        PAID
    }

    private static final Row ROW = new Row(
            List.of(column("id"), column("total"), column("placed_on"), column("status"), column("note")),
            Arrays.asList(7, new BigDecimal("9.90"), "2026-02-03", "PAID", null));

    private static ColumnInfo column(String name) {
        return new ColumnInfo(name, "t", Nullability.UNKNOWN);
    }

    @Test
    @DisplayName("typed getters from Java")
    void getters() {
        assertEquals(new BigDecimal("9.90"), RowValues.getDecimal(ROW, "total"));
        assertEquals(LocalDate.of(2026, 2, 3), RowValues.getLocalDate(ROW, "placed_on"));
        assertEquals(Status.PAID, RowValues.getEnum(ROW, "status", Status.class));
        assertEquals(7L, RowValues.get(ROW, "id", Long.class));
        assertEquals(7, RowValues.get(ROW, "id", int.class));
        assertNull(RowValues.getOrNull(ROW, "note", String.class));
        assertThrows(StorageException.BadRow.class, () -> RowValues.getInstant(ROW, "placed_on"));
    }

    @Test
    @DisplayName("a row as a record")
    void record() {
        Order order = RowRecords.to(ROW, Order.class);
        assertEquals(new Order(7, new BigDecimal("9.90"), LocalDate.of(2026, 2, 3), Status.PAID), order);
    }
}

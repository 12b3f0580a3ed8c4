package dev.carom.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agroal.api.AgroalDataSource;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.pool2.BasePooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericObjectPool;
import reactor.core.publisher.Mono;
import reactor.pool.InstrumentedPool;
import reactor.pool.PoolBuilder;
import stormpot.Allocator;
import stormpot.Pool;
import stormpot.Pooled;
import stormpot.Slot;

/** The other pools, each with so many connections, all open, and every other setting as delivered. */
final class Peers {
    private Peers() {}

    static HikariDataSource hikari(int connections) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(new StubDataSource());
        config.setMaximumPoolSize(connections);
        HikariDataSource source = new HikariDataSource(config);
        while (source.getHikariPoolMXBean().getIdleConnections() < connections) Thread.onSpinWait();
        return source;
    }

    static AgroalDataSource agroal(int connections) throws SQLException {
        return AgroalDataSource.from(new AgroalDataSourceConfigurationSupplier()
                .connectionPoolConfiguration(pool -> pool.initialSize(connections)
                        .maxSize(connections)
                        .connectionFactoryConfiguration(
                                factory -> factory.connectionProviderClass(StubDataSource.class))));
    }

    static Pool<Pooled<Noop>> stormpot(int connections) {
        AtomicInteger count = new AtomicInteger();
        Allocator<Pooled<Noop>> allocator = new Allocator<>() {
            @Override
            public Pooled<Noop> allocate(Slot slot) {
                return new Pooled<>(slot, new Noop(count.incrementAndGet()));
            }

            @Override
            public void deallocate(Pooled<Noop> pooled) {}
        };
        Pool<Pooled<Noop>> pool = Pool.from(allocator).setSize(connections).build();
        while (count.get() < connections) Thread.onSpinWait();
        return pool;
    }

    static GenericObjectPool<Noop> commons(int connections) throws Exception {
        AtomicInteger count = new AtomicInteger();
        GenericObjectPool<Noop> pool = new GenericObjectPool<>(new BasePooledObjectFactory<>() {
            @Override
            public Noop create() {
                return new Noop(count.incrementAndGet());
            }

            @Override
            public PooledObject<Noop> wrap(Noop connection) {
                return new DefaultPooledObject<>(connection);
            }
        });
        pool.setMaxTotal(connections);
        pool.setMaxIdle(connections);
        pool.addObjects(connections);
        return pool;
    }

    static InstrumentedPool<Noop> reactor(int connections) {
        AtomicInteger count = new AtomicInteger();
        InstrumentedPool<Noop> pool = PoolBuilder.from(Mono.fromSupplier(() -> new Noop(count.incrementAndGet())))
                .sizeBetween(connections, connections)
                .buildPool();
        pool.warmup().block();
        return pool;
    }
}

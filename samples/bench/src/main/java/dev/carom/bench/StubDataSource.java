package dev.carom.bench;

import java.io.PrintWriter;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;
import javax.sql.DataSource;

/** JDBC connections to nowhere, for the pools that lend nothing else. */
public final class StubDataSource implements DataSource {
    private static final InvocationHandler NOTHING = StubDataSource::answer;

    @Override
    public Connection getConnection() {
        return (Connection)
                Proxy.newProxyInstance(Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, NOTHING);
    }

    @Override
    public Connection getConnection(String user, String password) {
        return getConnection();
    }

    /** What a pool calls on each release returns nothing, so that case comes first. */
    private static Object answer(Object proxy, Method method, Object[] arguments) {
        Class<?> type = method.getReturnType();
        if (type == void.class) return null;
        return switch (method.getName()) {
            case "isValid", "getAutoCommit" -> true;
            case "isClosed", "isReadOnly", "isWrapperFor" -> false;
            case "getTransactionIsolation" -> Connection.TRANSACTION_READ_COMMITTED;
            case "hashCode" -> System.identityHashCode(proxy);
            case "equals" -> proxy == arguments[0];
            case "toString" -> "stub connection";
            default -> type == int.class ? 0 : null;
        };
    }

    @Override
    public PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) {}

    @Override
    public void setLoginTimeout(int seconds) {}

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        return type.cast(this);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }
}

package org.apache.kafka.streams;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.apache.kafka.common.header.Headers;

/** What TopologyTestDriver keeps package-private or refuses through its public methods. */
public final class TtdAccess {
    private TtdAccess() {}

    /** The task's stream time; −1 if it has polled nothing. */
    public static long streamTime(final TopologyTestDriver driver) {
        if (driver.task == null) {
            return -1L;
        }
        try {
            final Method method = driver.task.getClass().getDeclaredMethod("streamTime");
            method.setAccessible(true);
            return (long) method.invoke(driver.task);
        } catch (final ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Pipes a record whatever its timestamp: a TestRecord refuses negative ones, a broker does not. */
    public static void pipe(
            final TopologyTestDriver driver,
            final String topic,
            final long timestamp,
            final byte[] key,
            final byte[] value,
            final Headers headers) {
        try {
            final Method method = TopologyTestDriver.class.getDeclaredMethod(
                    "pipeRecord", String.class, long.class, byte[].class, byte[].class, Headers.class);
            method.setAccessible(true);
            method.invoke(driver, topic, timestamp, key, value, headers);
        } catch (final InvocationTargetException e) {
            throw (RuntimeException) e.getCause();
        } catch (final ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}

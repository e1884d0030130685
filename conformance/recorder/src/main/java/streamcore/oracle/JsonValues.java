package streamcore.oracle;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.kstream.Windowed;

/** How values are written in a recording. */
final class JsonValues {
    private static final long EXACT_IN_DOUBLE = (1L << 53) - 1;

    private JsonValues() {}

    static Object json(final Object value) {
        if (value == null || value instanceof String || value instanceof Integer) return value;
        if (value instanceof Long) return json((long) value);
        if (value instanceof Double) return json((double) value);
        if (value instanceof byte[]) return hex((byte[]) value);
        if (value instanceof Windowed<?> windowed) {
            return Arrays.asList(
                    json(windowed.key()),
                    json(windowed.window().start()),
                    json(windowed.window().end()));
        }
        throw new IllegalArgumentException("no JSON for " + value.getClass());
    }

    private static Object json(final long value) {
        return value >= -EXACT_IN_DOUBLE && value <= EXACT_IN_DOUBLE ? (Object) value : Long.toString(value);
    }

    private static Object json(final double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) return Double.toString(value);
        if (value == 0 && 1 / value < 0) return "-0";
        return value == Math.rint(value) && Math.abs(value) < 1e15 ? (Object) (long) value : (Object) value;
    }

    static String hex(final byte[] bytes) {
        return bytes == null ? null : HexFormat.of().formatHex(bytes);
    }

    static byte[] unhex(final String hex) {
        return hex == null ? null : HexFormat.of().parseHex(hex);
    }

    static List<Object> headers(final Headers headers) {
        final List<Object> pairs = new ArrayList<>();
        headers.forEach(header -> pairs.add(Arrays.asList(header.key(), hex(header.value()))));
        return pairs;
    }

    /** The bytes by which a store orders this key. */
    static byte[] keyBytes(final Object key) {
        if (key instanceof String) return ((String) key).getBytes(StandardCharsets.UTF_8);
        if (key instanceof Long)
            return ByteBuffer.allocate(Long.BYTES).putLong((Long) key).array();
        if (key instanceof Integer)
            return ByteBuffer.allocate(Integer.BYTES).putInt((Integer) key).array();
        if (key instanceof byte[]) return (byte[]) key;
        throw new IllegalArgumentException("no bytes for " + key);
    }
}

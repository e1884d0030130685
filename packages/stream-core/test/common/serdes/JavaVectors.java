import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;

/**
 * Prints java-vectors.ts: values, and the bytes Kafka's own serdes make of them.
 *
 *     java -cp '.tools/kafka-libs/*' packages/stream-core/test/common/serdes/JavaVectors.java
 */
public class JavaVectors {
    public static void main(String[] arguments) {
        System.out.println("// Printed by JavaVectors.java: what the serdes of kafka-clients 4.3.1 write on Java 17.");
        System.out.println("import * as s from '../../../src/common/serde.ts'");
        System.out.println();
        System.out.println("export const javaVectors: readonly (readonly [serde: s.Serde<unknown>, value: unknown, hex: string])[] = [");
        for (short value : new short[] {0, 1, -1, 258, Short.MIN_VALUE, Short.MAX_VALUE}) row("s.int16()", "" + value, Serdes.Short(), value);
        for (int value : new int[] {0, 1, -1, 16909060, Integer.MIN_VALUE, Integer.MAX_VALUE}) row("s.int32()", "" + value, Serdes.Integer(), value);
        for (long value : new long[] {0, 1, -1, 4294967296L, -4294967297L, 1700000000000L, 9007199254740991L, -9007199254740991L}) {
            row("s.int64()", "" + value, Serdes.Long(), value);
            row("s.int64Big()", value + "n", Serdes.Long(), value);
        }
        for (long value : new long[] {9007199254740993L, Long.MIN_VALUE, Long.MAX_VALUE}) row("s.int64Big()", value + "n", Serdes.Long(), value);
        floats("0", 0f); floats("-0", -0f); floats("1.5", 1.5f); floats("0.1", 0.1f); floats("-1e-45", -1e-45f); floats("1.17549435e-38", Float.MIN_NORMAL);
        floats("3.4028234663852886e38", Float.MAX_VALUE); floats("NaN", Float.NaN); floats("Infinity", Float.POSITIVE_INFINITY); floats("-Infinity", Float.NEGATIVE_INFINITY);
        doubles("0", 0d); doubles("-0", -0d); doubles("1.5", 1.5); doubles("0.1", 0.1); doubles("5e-324", Double.MIN_VALUE); doubles("2.2250738585072014e-308", Double.MIN_NORMAL);
        doubles("1.7976931348623157e308", Double.MAX_VALUE); doubles("NaN", Double.NaN); doubles("NaN", Double.longBitsToDouble(0xfff8000000000001L));
        doubles("Infinity", Double.POSITIVE_INFINITY); doubles("-Infinity", Double.NEGATIVE_INFINITY);
        row("s.boolean()", "true", Serdes.Boolean(), true);
        row("s.boolean()", "false", Serdes.Boolean(), false);
        for (String value : new String[] {"", "kafka", "\0", "\u00e9\u00df", "\u043a\u043b\u044e\u0447", "\u6f22\u5b57", "\ud83d\ude00", "\ufeffbom", "e\u0301", "\ufffd"}) {
            row("s.string()", quoted(value), Serdes.String(), value);
        }
        row("s.uuid()", "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'", Serdes.UUID(), UUID.fromString("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
        row("s.uuid()", "'00000000-0000-0000-0000-000000000000'", Serdes.UUID(), new UUID(0, 0));
        row("s.uuid()", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", Serdes.UUID(), new UUID(-1, -1));
        row("s.bytes()", "Buffer.from('00ff80', 'hex')", Serdes.ByteArray(), new byte[] {0, -1, -128});
        row("s.bytes()", "Buffer.from('00ff80', 'hex')", Serdes.Bytes(), Bytes.wrap(new byte[] {0, -1, -128}));
        row("s.bytes()", "Buffer.from('00ff80', 'hex')", Serdes.ByteBuffer(), java.nio.ByteBuffer.wrap(new byte[] {0, -1, -128}));
        row("s.bytes()", "Buffer.alloc(0)", Serdes.ByteArray(), new byte[0]);
        list("int16", "[]", Serdes.Short(), List.of());
        list("int16", "[1, -2]", Serdes.Short(), List.of((short) 1, (short) -2));
        list("int32", "[1, null, 3, null]", Serdes.Integer(), Arrays.asList(1, null, 3, null));
        list("int32", "[null, null]", Serdes.Integer(), Arrays.asList((Integer) null, null));
        list("int64", "[null, 5]", Serdes.Long(), Arrays.asList(null, 5L));
        list("int64Big", "[-5n]", Serdes.Long(), List.of(-5L));
        list("float32", "[1.5, null, NaN]", Serdes.Float(), Arrays.asList(1.5f, null, Float.NaN));
        list("float64", "[0.1, -0]", Serdes.Double(), List.of(0.1, -0d));
        list("uuid", "['00000000-0000-0000-0000-000000000001', null]", Serdes.UUID(), Arrays.asList(new UUID(0, 1), null));
        list("boolean", "[true, null, false]", Serdes.Boolean(), Arrays.asList(true, null, false));
        list("string", "[]", Serdes.String(), List.of());
        list("string", "['a', null, 'bc']", Serdes.String(), Arrays.asList("a", null, "bc"));
        list("string", "['a', '']", Serdes.String(), List.of("a", ""));
        list("bytes", "[Buffer.from('00', 'hex'), Buffer.alloc(0), null]", Serdes.ByteArray(), Arrays.asList(new byte[] {0}, new byte[0], null));
        Serde<List<Integer>> ints = Serdes.ListSerde(ArrayList.class, Serdes.Integer());
        row("s.list(s.list(s.int32()), { nullable: true })", "[[1], null, []]", Serdes.ListSerde(ArrayList.class, ints), Arrays.asList(List.of(1), null, List.of()));
        System.out.println("]");
    }

    private static void floats(String text, float value) {
        row("s.float32()", text, Serdes.Float(), value);
    }

    private static void doubles(String text, double value) {
        row("s.float64()", text, Serdes.Double(), value);
    }

    private static <T> void list(String inner, String text, Serde<T> serde, List<T> value) {
        row("s.list(s." + inner + "(), { nullable: true })", text, Serdes.ListSerde(ArrayList.class, serde), value);
    }

    private static <T> void row(String serde, String text, Serde<T> java, T value) {
        StringBuilder hex = new StringBuilder();
        for (byte b : java.serializer().serialize("topic", value)) hex.append(String.format("%02x", b));
        System.out.println("  [" + serde + ", " + text + ", '" + hex + "'],");
    }

    private static String quoted(String value) {
        StringBuilder text = new StringBuilder("'");
        for (char c : value.toCharArray()) text.append(c >= ' ' && c < 127 ? "" + c : String.format("\\u%04x", (int) c));
        return text.append("'").toString();
    }
}

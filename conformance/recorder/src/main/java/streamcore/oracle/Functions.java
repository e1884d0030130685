package streamcore.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;

/** The user functions that the format defines, by their names. */
final class Functions {
    private static final int CAP = 16;

    private Functions() {}

    static String str(final Object x) {
        Budget.check();
        if (x == null) return "null";
        if (x instanceof String) return (String) x;
        if (x instanceof Long || x instanceof Integer) return x.toString();
        if (x instanceof Windowed<?> w)
            return str(w.key()) + "@" + w.window().start() + "/" + w.window().end();
        throw new IllegalArgumentException(
                "str() is not defined for " + x.getClass().getSimpleName());
    }

    static long num(final Object x) {
        Budget.check();
        if (x == null) return 0L;
        if (x instanceof Long) return (Long) x;
        if (x instanceof Integer) return (Integer) x;
        if (x instanceof String) return ((String) x).length();
        throw new IllegalArgumentException(
                "num() is not defined for " + x.getClass().getSimpleName());
    }

    static boolean even(final Object value) {
        return value != null && Math.floorMod(num(value), 2) == 0;
    }

    private static String cap(final String s) {
        return s.length() <= CAP ? s : s.substring(s.length() - CAP);
    }

    private static String strOrNull(final Object x) {
        return x == null ? null : str(x);
    }

    private static String head(final Object x) {
        return x == null || str(x).isEmpty() ? null : str(x).substring(0, 1);
    }

    private static String tail(final Object x) {
        if (x == null) return null;
        final String s = str(x);
        final int bar = s.lastIndexOf('|');
        return bar < 0 || bar == s.length() - 1 ? null : s.substring(bar + 1);
    }

    private static Object unwindow(final Object key) {
        return key instanceof Windowed<?> windowed ? windowed.key() : key;
    }

    static Object failOnBoom(final Object value) {
        if ("boom".equals(value)) throw new UserFunctionError("boom");
        return value;
    }

    static boolean predicate(final String name, final Object k, final Object v) {
        return switch (name) {
            case "always" -> true;
            case "never" -> false;
            case "valueNotNull" -> v != null;
            case "valueIsNull" -> v == null;
            case "keyNotNull" -> k != null;
            case "valueEven" -> even(v);
            case "valueOdd" -> v != null && !even(v);
            case "valueAtLeast2" -> num(v) >= 2;
            case "keyIsA" -> "A".equals(k);
            case "keyIsB" -> "B".equals(k);
            case "keyBeforeC" -> k != null && str(k).compareTo("c") < 0;
            case "startsWithA" -> v != null && str(v).startsWith("a");
            case "failOnBoom" -> {
                failOnBoom(v);
                yield true;
            }
            default -> throw new UnknownName("predicate", name);
        };
    }

    static Object mapValue(final String name, final Object k, final Object v) {
        return switch (name) {
            case "identity" -> v;
            case "upper" -> v == null ? null : str(v).toUpperCase(Locale.ROOT);
            case "bang" -> v == null ? null : cap(str(v) + "!");
            case "bangNull" -> cap(str(v) + "!");
            case "nullIfEven" -> even(v) ? null : v;
            case "constNull" -> null;
            case "constX" -> "x";
            case "length" -> v == null ? null : (Object) (long) str(v).length();
            case "number" -> v == null ? null : (Object) num(v);
            case "toString" -> v == null ? null : cap(str(v));
            case "plusOne" -> v == null ? null : (Object) (num(v) + 1);
            case "half" -> v == null ? null : (Object) (num(v) / 2.0);
            case "keyColonValue" -> cap(str(k) + ":" + str(v));
            case "failOnBoom" -> failOnBoom(v);
            default -> throw new UnknownName("value mapper", name);
        };
    }

    static List<Object> flatMapValue(final String name, final Object k, final Object v) {
        return switch (name) {
            case "none" -> List.of();
            case "once" -> Arrays.asList(v);
            case "twice" -> Arrays.asList(v, v);
            case "chars" -> new ArrayList<>(units(v));
            case "withNull" -> Arrays.asList(v, null);
            default -> throw new UnknownName("flat value mapper", name);
        };
    }

    private static List<String> units(final Object x) {
        final List<String> units = new ArrayList<>();
        if (x != null) for (final char unit : str(x).toCharArray()) units.add(String.valueOf(unit));
        return units;
    }

    static Object selectKey(final String name, final Object k, final Object v) {
        return switch (name) {
            case "key" -> k;
            case "value" -> strOrNull(v);
            case "firstChar" -> head(v);
            case "keyFirstChar" -> head(k);
            case "afterBar" -> tail(v);
            case "constA" -> "a";
            case "constNull" -> null;
            case "keyAndValue" -> cap(str(k) + "." + str(v));
            case "keyString" -> strOrNull(k);
            case "nullIfEven" -> even(v) ? null : k;
            case "unwindow" -> unwindow(k);
            case "valueNumber" -> v == null ? null : (Object) num(v);
            default -> throw new UnknownName("selector", name);
        };
    }

    private static KeyValue<Object, Object> pair(final Object key, final Object value) {
        return new KeyValue<>(key, value);
    }

    static KeyValue<Object, Object> mapPair(final String name, final Object k, final Object v) {
        return switch (name) {
            case "identity" -> pair(k, v);
            case "swap" -> pair(strOrNull(v), strOrNull(k));
            case "upperKey" -> pair(k == null ? null : str(k).toUpperCase(Locale.ROOT), v);
            case "byLength" -> pair(v == null ? null : "len" + str(v).length(), v);
            case "firstCharKey" -> pair(head(v), v);
            case "keyStringPair" -> pair(strOrNull(k), v);
            case "unwindowPair" -> pair(unwindow(k), v);
            case "nullPair" -> null;
            default -> throw new UnknownName("pair mapper", name);
        };
    }

    static List<KeyValue<Object, Object>> flatMapPair(final String name, final Object k, final Object v) {
        return switch (name) {
            case "none" -> List.of();
            case "once" -> List.of(pair(k, v));
            case "twice" -> List.of(pair(k, v), pair(k, v));
            case "charKeys" -> units(v).stream().map(unit -> pair(unit, v)).toList();
            case "bothKeys" -> List.of(pair(k, v), pair(head(v), v));
            default -> throw new UnknownName("flat pair mapper", name);
        };
    }

    /** The selector of a table's groupBy. */
    static KeyValue<Object, Object> groupPair(final String name, final Object k, final Object v) {
        return switch (name) {
            case "identity" -> pair(k, v);
            case "byValue" -> pair(strOrNull(v), v);
            case "byFirstChar" -> pair(head(v), v);
            case "byKeyFirstChar" -> pair(head(k), v);
            case "valueKeySwap" -> pair(strOrNull(v), k);
            case "byConst" -> pair("all", v);
            case "byAfterBar" -> pair(tail(v), v);
            case "byUnwindow" -> pair(unwindow(k), v);
            case "byValueNumber" -> pair(v == null ? null : "n" + num(v), num(v));
            case "nullPairIfEven" -> even(v) ? null : pair(k, v);
            case "byKeyValue" -> pair(k, strOrNull(v));
            case "byKeyHeadTail" -> pair(head(k), k == null || str(k).isEmpty() ? null : str(k).substring(1));
            case "byValueSkipping" -> {
                if ("null".equals(v)) yield pair(null, v);
                yield "NULL".equals(v) ? null : pair(strOrNull(v), v);
            }
            default -> throw new UnknownName("group selector", name);
        };
    }

    /** The key is null in joins of tables. */
    static Object join(final String name, final Object k, final Object a, final Object b) {
        return switch (name) {
            case "dash" -> str(a) + "-" + str(b);
            case "plus" -> str(a) + "+" + str(b);
            case "parens" -> "(" + str(a) + "," + str(b) + ")";
            case "colon" -> str(a) + ":" + str(b);
            case "dashCap" -> dashCap(a, b);
            case "keyDash" -> cap(str(k) + ":" + str(a) + "-" + str(b));
            case "sum" -> num(a) + num(b);
            case "left" -> a;
            case "right" -> b;
            case "nullIfEqual" -> str(a).equals(str(b)) ? null : dashCap(a, b);
            case "nullIfRightEven" -> even(b) ? null : dashCap(a, b);
            default -> throw new UnknownName("joiner", name);
        };
    }

    private static String dashCap(final Object a, final Object b) {
        return cap(str(a) + "-" + str(b));
    }

    static Object initial(final String name) {
        return switch (name) {
            case "empty" -> "";
            case "zeroString" -> "0";
            case "zero" -> 0L;
            case "null" -> null;
            default -> throw new UnknownName("initializer", name);
        };
    }

    static Object aggregate(final String name, final Object k, final Object v, final Object aggregate) {
        return switch (name) {
            case "append" -> str(aggregate) + "+" + str(v);
            case "appendCap" -> cap(str(aggregate) + "+" + str(v));
            case "minus" -> str(aggregate) + "-" + str(v);
            case "minusCap" -> cap(str(aggregate) + "-" + str(v));
            case "concatValue" -> str(aggregate) + str(v);
            case "removeValue" -> str(aggregate).replace(str(v), "");
            case "keyAppend" -> cap(str(aggregate) + "+" + str(k) + "." + str(v));
            case "add" -> num(aggregate) + num(v);
            case "subtract" -> num(aggregate) - num(v);
            case "increment" -> num(aggregate) + 1;
            case "decrement" -> num(aggregate) - 1;
            case "last" -> v;
            case "lastString" -> str(v);
            case "first", "keep" -> aggregate;
            case "appendOrNull" -> even(v) ? null : cap(str(aggregate) + "+" + str(v));
            default -> throw new UnknownName("aggregator", name);
        };
    }

    static Object reduce(final String name, final Object a, final Object b) {
        return switch (name) {
            case "concat" -> str(a) + str(b);
            case "colon" -> str(a) + ":" + str(b);
            case "concatCap" -> cap(str(a) + str(b));
            case "plusString" -> cap(str(a) + "+" + str(b));
            case "minusString" -> cap(str(a) + "-" + str(b));
            case "sum" -> num(a) + num(b);
            case "difference" -> num(a) - num(b);
            case "max" -> str(a).compareTo(str(b)) >= 0 ? a : b;
            case "maxNumber" -> num(a) >= num(b) ? a : b;
            case "first" -> a;
            case "last" -> b;
            case "nullIfEqual" -> str(a).equals(str(b)) ? null : b;
            default -> throw new UnknownName("reducer", name);
        };
    }

    /** Merges the aggregates of two sessions. */
    static Object merge(final String name, final Object k, final Object a, final Object b) {
        return switch (name) {
            case "concat" -> str(a) + "&" + str(b);
            case "concatCap" -> cap(str(a) + "&" + str(b));
            case "add" -> num(a) + num(b);
            case "second" -> b;
            default -> throw new UnknownName("merger", name);
        };
    }

    static Object foreignKey(final String name, final Object k, final Object v) {
        return switch (name) {
            case "afterBar" -> tail(v);
            case "firstChar" -> head(v);
            case "keyFirstChar" -> head(k);
            case "value" -> strOrNull(v);
            default -> throw new UnknownName("foreign-key extractor", name);
        };
    }

    static String topicName(final Map<String, Object> extractor, final Object v) {
        if (!"byValueEven".equals(extractor.get("type")))
            throw new UnknownName("topic extractor", extractor.get("type"));
        return Fields.text(extractor, even(v) ? "even" : "odd");
    }
}

package streamcore.oracle;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Reads the fields of a JSON object; null for what is left out. */
@SuppressWarnings("unchecked")
final class Fields {
    private Fields() {}

    static boolean has(final Map<String, Object> object, final String field) {
        return object.get(field) != null;
    }

    static String text(final Map<String, Object> object, final String field) {
        return (String) object.get(field);
    }

    /** A whole number; those that a double cannot hold come as decimal text. */
    static Long whole(final Map<String, Object> object, final String field) {
        final Object value = object.get(field);
        if (value == null) return null;
        return value instanceof String ? Long.parseLong((String) value) : ((Number) value).longValue();
    }

    static Duration millis(final Map<String, Object> object, final String field) {
        final Long millis = whole(object, field);
        return millis == null ? null : Duration.ofMillis(millis);
    }

    static boolean isTrue(final Map<String, Object> object, final String field) {
        return Boolean.TRUE.equals(object.get(field));
    }

    static boolean isFalse(final Map<String, Object> object, final String field) {
        return Boolean.FALSE.equals(object.get(field));
    }

    static Map<String, Object> object(final Map<String, Object> object, final String field) {
        return (Map<String, Object>) object.get(field);
    }

    static List<Map<String, Object>> objects(final Map<String, Object> object, final String field) {
        return (List<Map<String, Object>>) object.get(field);
    }

    static List<String> texts(final Map<String, Object> object, final String field) {
        return (List<String>) object.get(field);
    }

    /** For variable arguments: none if the field is left out. */
    static String[] textArray(final Map<String, Object> object, final String field) {
        final List<String> texts = texts(object, field);
        return texts == null ? new String[0] : texts.toArray(new String[0]);
    }
}

package streamcore.oracle;

import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/** The serdes that a scenario names, and values through them. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class SerdeSpecs {
    private SerdeSpecs() {}

    static Serde of(final Map<String, Object> object, final String field) {
        return of(object.get(field));
    }

    static Serde of(final Object spec) {
        if (spec == null) return null;
        if (spec instanceof Map) {
            final Map<String, Object> windowed = (Map<String, Object>) spec;
            if (Fields.has(windowed, "timeWindowed")) {
                return new WindowedSerdes.TimeWindowedSerde<>(
                        of(windowed, "timeWindowed"), Fields.whole(windowed, "sizeMs"));
            }
            return new WindowedSerdes.SessionWindowedSerde<>(of(windowed, "sessionWindowed"));
        }
        return switch ((String) spec) {
            case "string" -> Serdes.String();
            case "long" -> Serdes.Long();
            case "integer" -> Serdes.Integer();
            case "double" -> Serdes.Double();
            case "bytes" -> Serdes.ByteArray();
            default -> throw new UnknownName("serde", spec);
        };
    }

    static byte[] serialise(final String topic, final Object spec, final Object json) {
        if (json == null) return null;
        final Object value =
                switch (spec instanceof String ? (String) spec : "") {
                    case "long" -> json instanceof String ? Long.parseLong((String) json) : ((Number) json).longValue();
                    case "integer" -> ((Number) json).intValue();
                    case "double" -> json instanceof String
                            ? Double.parseDouble((String) json)
                            : ((Number) json).doubleValue();
                    case "bytes" -> JsonValues.unhex((String) json);
                    default -> json;
                };
        return of(spec).serializer().serialize(topic, value);
    }

    /** The value as JSON. */
    static Object deserialise(final String topic, final Object spec, final byte[] bytes) {
        return bytes == null ? null : JsonValues.json(of(spec).deserializer().deserialize(topic, bytes));
    }
}

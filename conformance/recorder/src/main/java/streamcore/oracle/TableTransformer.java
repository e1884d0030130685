package streamcore.oracle;

import static streamcore.oracle.Fields.text;

import java.util.Map;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;

/** The `transformer` of a table's transformValues. */
final class TableTransformer implements ValueTransformerWithKey<Object, Object, Object> {
    private final Map<String, Object> spec;
    private ProcessorContext context;

    TableTransformer(final Map<String, Object> spec) {
        this.spec = spec;
    }

    @Override
    public void init(final ProcessorContext context) {
        this.context = context;
    }

    @Override
    public Object transform(final Object key, final Object value) {
        return switch (text(spec, "type")) {
            case "mapper" -> Functions.mapValue(text(spec, "mapper"), key, value);
            case "countCalls" -> countCalls(key, value);
            default -> throw new UnknownName("transformer", spec.get("type"));
        };
    }

    private String countCalls(final Object key, final Object value) {
        if (key == null) return null;
        final KeyValueStore<Object, Long> calls = context.getStateStore(text(spec, "store"));
        final Long old = calls.get(key);
        final long count = (old == null ? 0 : old) + 1;
        calls.put(key, count);
        return value == null ? null : Functions.str(value) + "#" + count;
    }

    @Override
    public void close() {}
}

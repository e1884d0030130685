package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.text;

import java.util.Map;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** Keeps a global store equal to its topic, the values mapped if the scenario says so. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class GlobalUpdateProcessor implements Processor<Object, Object, Void, Void> {
    private final Map<String, Object> spec;
    private KeyValueStore<Object, Object> store;

    GlobalUpdateProcessor(final Map<String, Object> spec) {
        this.spec = spec;
    }

    @Override
    public void init(final ProcessorContext<Void, Void> context) {
        store = context.getStateStore(text(spec, "store"));
    }

    @Override
    public void process(final Record<Object, Object> record) {
        if (record.key() == null) return;
        final Object value = has(spec, "mapper")
                ? Functions.mapValue(text(spec, "mapper"), record.key(), record.value())
                : record.value();
        if (value == null) {
            store.delete(record.key());
        } else if (store instanceof TimestampedKeyValueStore) {
            ((TimestampedKeyValueStore) store).put(record.key(), ValueAndTimestamp.make(value, record.timestamp()));
        } else {
            store.put(record.key(), value);
        }
    }
}

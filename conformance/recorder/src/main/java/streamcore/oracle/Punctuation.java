package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.millis;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.whole;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** The `punctuate` of a processor. */
final class Punctuation {
    private final Map<String, Object> spec;
    private final String store;
    private final ProcessorContext<Object, Object> context;
    private Cancellable schedule;
    private int calls;

    Punctuation(final Map<String, Object> processor, final ProcessorContext<Object, Object> context) {
        this.spec = Fields.object(processor, "punctuate");
        this.store = text(processor, "store");
        this.context = context;
    }

    void schedule() {
        final PunctuationType type =
                "wallClock".equals(spec.get("clock")) ? PunctuationType.WALL_CLOCK_TIME : PunctuationType.STREAM_TIME;
        final Duration interval = millis(spec, "intervalMs");
        schedule = has(spec, "startMs")
                ? context.schedule(Instant.ofEpochMilli(whole(spec, "startMs")), interval, type, this::punctuate)
                : context.schedule(interval, type, this::punctuate);
    }

    private void punctuate(final long timestamp) {
        calls++;
        switch (text(spec, "action")) {
            case "tick" -> tick(timestamp);
            case "emit" -> emit(timestamp);
            case "emitAndClear" -> {
                final KeyValueStore<Object, Object> entries = context.getStateStore(store);
                for (final Object key : emit(timestamp)) entries.delete(key);
            }
            default -> throw new UnknownName("action", spec.get("action"));
        }
        if (has(spec, "cancelAfter") && calls >= whole(spec, "cancelAfter")) schedule.cancel();
    }

    private void tick(final long timestamp) {
        final String mark = context.recordMetadata().isPresent() ? "+" : "-";
        context.forward(new Record<>("tick", timestamp + mark + context.currentStreamTimeMs(), timestamp));
    }

    /** Forwards every entry; returns the keys. */
    private List<Object> emit(final long timestamp) {
        final KeyValueStore<Object, Object> entries = context.getStateStore(store);
        final List<Object> keys = new ArrayList<>();
        try (KeyValueIterator<Object, Object> all = entries.all()) {
            while (all.hasNext()) {
                final KeyValue<Object, Object> entry = all.next();
                final Object value = entry.value instanceof ValueAndTimestamp<?> v ? v.value() : entry.value;
                context.forward(new Record<>(entry.key, value, timestamp));
                keys.add(entry.key);
            }
        }
        return keys;
    }
}

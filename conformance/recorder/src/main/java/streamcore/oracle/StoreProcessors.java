package streamcore.oracle;

import static streamcore.oracle.Fields.isTrue;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.whole;
import static streamcore.oracle.Functions.str;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.TimestampedWindowStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/** The processors that work on a store: what they do with a record, and what they forward. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class StoreProcessors {
    private final Map<String, Object> spec;
    private final ProcessingContext context;

    StoreProcessors(final Map<String, Object> spec, final ProcessingContext context) {
        this.spec = spec;
        this.context = context;
    }

    void process(final Object key, final Object value, final long timestamp, final KeyKeepingProcessor.Output output) {
        final String type = text(spec, "type");
        switch (type) {
            case "lookup" -> output.forward(lookup(value), timestamp);
            case "count" -> output.forward(key == null ? 0L : count(key, timestamp), timestamp);
            case "dedup" -> {
                if (key == null || isNew(key, value, timestamp)) output.forward(value, timestamp);
            }
            case "silentCount" -> {
                if (key != null) count(key, timestamp);
            }
            case "windowCount", "windowScan", "sessions", "versioned", "range", "putIfAbsent" -> {
                if (key != null) output.forward(result(type, key, value, timestamp), timestamp);
            }
            default -> throw new UnknownName("processor", type);
        }
    }

    private String result(final String type, final Object key, final Object value, final long timestamp) {
        return switch (type) {
            case "windowCount" -> windowCount(key, timestamp);
            case "windowScan" -> windowScan(key, value, timestamp);
            case "sessions" -> sessions(key, timestamp);
            case "versioned" -> versioned(key, value, timestamp);
            case "range" -> range(key, value);
            default -> putIfAbsent(key, value);
        };
    }

    private <S extends StateStore> S store() {
        return context.getStateStore(text(spec, "store"));
    }

    private static String strOrNull(final Object value) {
        return value == null ? null : str(value);
    }

    private long count(final Object key, final long timestamp) {
        final StateStore store = store();
        if (store instanceof TimestampedKeyValueStore) {
            final TimestampedKeyValueStore<Object, Long> counts = (TimestampedKeyValueStore<Object, Long>) store;
            final ValueAndTimestamp<Long> old = counts.get(key);
            final long count = (old == null ? 0 : old.value()) + 1;
            counts.put(key, ValueAndTimestamp.make(count, timestamp));
            return count;
        }
        final KeyValueStore<Object, Long> counts = (KeyValueStore<Object, Long>) store;
        final Long old = counts.get(key);
        final long count = (old == null ? 0 : old) + 1;
        counts.put(key, count);
        return count;
    }

    private String lookup(final Object value) {
        final KeyValueStore<Object, Object> store = store();
        final Object found = store.get(str(value));
        return str(value) + "=" + str(found instanceof ValueAndTimestamp<?> v ? v.value() : found);
    }

    private boolean isNew(final Object key, final Object value, final long timestamp) {
        final WindowStore<Object, Object> store = store();
        final long within = whole(spec, "withinMs");
        try (WindowStoreIterator<?> seen =
                store.fetch(key, instant(timestamp - within), Instant.ofEpochMilli(timestamp + within))) {
            if (seen.hasNext()) return false;
        }
        store.put(key, str(value), timestamp);
        return true;
    }

    private static Instant instant(final long timestamp) {
        return Instant.ofEpochMilli(Math.max(0, timestamp));
    }

    private String windowCount(final Object key, final long timestamp) {
        final long start = timestamp - timestamp % whole(spec, "sizeMs");
        final WindowStore store = store();
        final long count;
        if (store instanceof TimestampedWindowStore) {
            final ValueAndTimestamp<Long> old = (ValueAndTimestamp<Long>) store.fetch(key, start);
            count = (old == null ? 0 : old.value()) + 1;
            store.put(key, ValueAndTimestamp.make(count, timestamp), start);
        } else {
            final Long old = (Long) store.fetch(key, start);
            count = (old == null ? 0 : old) + 1;
            store.put(key, count, start);
        }
        return start + "=" + count;
    }

    private String windowScan(final Object key, final Object value, final long timestamp) {
        final WindowStore<Object, Object> store = store();
        store.put(key, strOrNull(value), timestamp);
        final Instant from = instant(timestamp - whole(spec, "backMs"));
        final Instant to = Instant.ofEpochMilli(timestamp + whole(spec, "aheadMs"));
        final boolean isReverse = isTrue(spec, "reverse");
        final StringBuilder found = new StringBuilder();
        if (isTrue(spec, "allKeys")) {
            try (KeyValueIterator<Windowed<Object>, Object> windows =
                    isReverse ? store.backwardFetchAll(from, to) : store.fetchAll(from, to)) {
                windows.forEachRemaining(w -> found.append(str(w.key.key()))
                        .append('@')
                        .append(w.key.window().start())
                        .append('=')
                        .append(str(w.value))
                        .append(','));
            }
        } else {
            try (WindowStoreIterator<Object> windows =
                    isReverse ? store.backwardFetch(key, from, to) : store.fetch(key, from, to)) {
                windows.forEachRemaining(w ->
                        found.append(w.key).append('=').append(str(w.value)).append(','));
            }
        }
        return found.toString();
    }

    private String sessions(final Object key, final long timestamp) {
        final SessionStore<Object, Long> store = store();
        final long gap = whole(spec, "gapMs");
        long start = timestamp;
        long end = timestamp;
        long count = 1;
        final List<Windowed<Object>> merged = new ArrayList<>();
        try (KeyValueIterator<Windowed<Object>, Long> found =
                store.findSessions(key, Math.max(0, timestamp - gap), timestamp + gap)) {
            while (found.hasNext()) {
                final KeyValue<Windowed<Object>, Long> session = found.next();
                merged.add(session.key);
                start = Math.min(start, session.key.window().start());
                end = Math.max(end, session.key.window().end());
                count += session.value;
            }
        }
        for (final Windowed<Object> session : merged) store.remove(session);
        store.put(new Windowed<>(key, new SessionWindow(start, end)), count);
        return start + "/" + end + "=" + count;
    }

    private String versioned(final Object key, final Object value, final long timestamp) {
        final VersionedKeyValueStore<Object, Object> store = store();
        if (value == null && isTrue(spec, "useDelete")) return "deleted " + version(store.delete(key, timestamp));
        final long validTo = store.put(key, strOrNull(value), timestamp);
        return "put " + (validTo == Long.MIN_VALUE ? "dropped" : validTo == -1L ? "latest" : Long.toString(validTo))
                + " now " + version(store.get(key))
                + " then " + version(store.get(key, timestamp - whole(spec, "lagMs")));
    }

    private static String version(final VersionedRecord<Object> version) {
        return version == null ? "none" : str(version.value()) + "@" + version.timestamp();
    }

    private String range(final Object key, final Object value) {
        final KeyValueStore<Object, Object> store = store();
        if (value == null) store.delete(key);
        else store.put(key, str(value));
        final StringBuilder found = new StringBuilder();
        try (KeyValueIterator<Object, Object> entries = scan(store)) {
            entries.forEachRemaining(e ->
                    found.append(str(e.key)).append('=').append(str(e.value)).append(','));
        }
        return found.toString();
    }

    private KeyValueIterator<Object, Object> scan(final KeyValueStore<Object, Object> store) {
        final String prefix = text(spec, "prefix");
        if (prefix != null) return store.prefixScan(prefix, new StringSerializer());
        return isTrue(spec, "reverse")
                ? store.reverseRange(text(spec, "from"), text(spec, "to"))
                : store.range(text(spec, "from"), text(spec, "to"));
    }

    private String putIfAbsent(final Object key, final Object value) {
        final KeyValueStore<Object, Object> store = store();
        return str(store.putIfAbsent(key, strOrNull(value))) + ">" + str(store.get(key));
    }
}

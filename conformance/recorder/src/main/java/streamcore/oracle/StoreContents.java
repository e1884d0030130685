package streamcore.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.query.MultiVersionedKeyQuery;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.TimestampedWindowStore;
import org.apache.kafka.streams.state.TimestampedWindowStoreWithHeaders;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.ValueTimestampHeaders;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.VersionedRecordIterator;
import org.apache.kafka.streams.state.WindowStore;

/** What the stores hold at the end of a scenario. */
@SuppressWarnings("unchecked")
final class StoreContents {
    private final TopologyTestDriver driver;
    private final Map<String, Set<String>> changelogKeys;
    private final List<Map<String, Object>> input;

    StoreContents(
            final TopologyTestDriver driver,
            final Map<String, Set<String>> changelogKeys,
            final List<Map<String, Object>> input) {
        this.driver = driver;
        this.changelogKeys = changelogKeys;
        this.input = input;
    }

    Map<String, Object> all() {
        final Map<String, Object> stores = new LinkedHashMap<>();
        for (final Map.Entry<String, StateStore> store : new TreeMap<>(driver.getAllStateStores()).entrySet()) {
            if (store.getValue() == null || isUnlisted(store.getKey())) continue;
            final Map<String, Object> contents = contents(store.getKey(), store.getValue());
            if (contents != null) stores.put(store.getKey(), contents);
        }
        return stores;
    }

    /** Outer-join buffers and foreign-key subscriptions: how they look inside is the implementation's own business. */
    private static boolean isUnlisted(final String name) {
        return name.contains("OUTERSHARED")
                || name.endsWith("-shared-join-store")
                || name.contains("FK-JOIN-SUBSCRIPTION-STATE-STORE")
                || name.endsWith("-subscription-store");
    }

    /** null: not listed either. */
    private Map<String, Object> contents(final String name, final StateStore store) {
        if (store instanceof VersionedKeyValueStore) return described("versioned", versions(name, store));
        if (store instanceof WindowStore) return windows((WindowStore<Object, Object>) store);
        if (store instanceof SessionStore) {
            try (KeyValueIterator<Windowed<Object>, Object> sessions =
                    ((SessionStore<Object, Object>) store).fetch(null, null)) {
                return described("session", sortedEntries(sessions, false));
            }
        }
        if (store instanceof KeyValueStore) {
            final String type = store instanceof TimestampedKeyValueStore ? "timestampedKeyValue" : "keyValue";
            try (KeyValueIterator<Object, Object> all = ((KeyValueStore<Object, Object>) store).all()) {
                return described(type, entries(all));
            }
        }
        return null;
    }

    private static Map<String, Object> windows(final WindowStore<Object, Object> store) {
        // Stores of stream-stream joins are headers-aware ones since 4.3, whatever the store format: shown as plain
        // windows.
        final boolean isJoinStore = store instanceof TimestampedWindowStoreWithHeaders;
        final String type = !isJoinStore && store instanceof TimestampedWindowStore ? "timestampedWindow" : "window";
        try (KeyValueIterator<Windowed<Object>, Object> windows = store.all()) {
            return described(type, sortedEntries(windows, isJoinStore));
        } catch (final IllegalArgumentException e) {
            // Java cannot iterate over a store of window size 0.
            if (String.valueOf(e.getMessage()).startsWith("Window endMs must be greater")) return null;
            throw e;
        }
    }

    private List<List<Object>> versions(final String name, final StateStore store) {
        final Set<String> keys =
                new TreeSet<>((a, b) -> Arrays.compareUnsigned(JsonValues.keyBytes(a), JsonValues.keyBytes(b)));
        keys.addAll(changelogKeys.getOrDefault("app-" + name + "-changelog", Set.of()));
        for (final Map<String, Object> stimulus : input) {
            if (stimulus.get("key") instanceof String) keys.add((String) stimulus.get("key"));
        }
        final List<List<Object>> entries = new ArrayList<>();
        for (final String key : keys) {
            final var query =
                    MultiVersionedKeyQuery.<String, Object>withKey(key).withAscendingTimestamps();
            try (VersionedRecordIterator<Object> versions = store.query(
                            query, PositionBound.unbounded(), new QueryConfig(false))
                    .getResult()) {
                while (versions.hasNext()) {
                    final VersionedRecord<Object> version = versions.next();
                    entries.add(Arrays.asList(
                            key,
                            JsonValues.json(version.value()),
                            version.timestamp(),
                            version.validTo().orElse(null)));
                }
            }
        }
        return entries;
    }

    private static Map<String, Object> described(final String type, final List<List<Object>> entries) {
        final Map<String, Object> contents = new LinkedHashMap<>();
        contents.put("type", type);
        contents.put("entries", entries);
        return contents;
    }

    private static List<List<Object>> entries(final KeyValueIterator<?, ?> all) {
        final List<List<Object>> entries = new ArrayList<>();
        while (all.hasNext()) entries.add(entry(all.next(), false));
        return entries;
    }

    private static List<List<Object>> sortedEntries(
            final KeyValueIterator<Windowed<Object>, Object> all, final boolean isPlain) {
        final List<KeyValue<Windowed<Object>, Object>> sorted = new ArrayList<>();
        while (all.hasNext()) sorted.add(all.next());
        sorted.sort((a, b) -> compareWindows(a.key, b.key));
        final List<List<Object>> entries = new ArrayList<>();
        for (final KeyValue<Windowed<Object>, Object> window : sorted) entries.add(entry(window, isPlain));
        return entries;
    }

    /** `isPlain`: the value without its timestamp. */
    private static List<Object> entry(final KeyValue<?, ?> entry, final boolean isPlain) {
        final Object key = JsonValues.json(entry.key);
        if (entry.value instanceof ValueTimestampHeaders<?> v && isPlain)
            return Arrays.asList(key, JsonValues.json(v.value()));
        if (entry.value instanceof ValueAndTimestamp<?> v)
            return Arrays.asList(key, JsonValues.json(v.value()), v.timestamp());
        return Arrays.asList(key, JsonValues.json(entry.value));
    }

    private static int compareWindows(final Windowed<Object> a, final Windowed<Object> b) {
        final int byKey = Arrays.compareUnsigned(JsonValues.keyBytes(a.key()), JsonValues.keyBytes(b.key()));
        if (byKey != 0) return byKey;
        final int byStart = Long.compare(a.window().start(), b.window().start());
        return byStart != 0
                ? byStart
                : Long.compare(a.window().end(), b.window().end());
    }
}

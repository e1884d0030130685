package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.isFalse;
import static streamcore.oracle.Fields.isTrue;
import static streamcore.oracle.Fields.millis;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.whole;

import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.VersionedBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;

/** The stores that a scenario declares by itself. Window and session stores are always persistent (InMemoryStores). */
@SuppressWarnings({"unchecked", "rawtypes"})
final class StoreSpecs {
    private StoreSpecs() {}

    static StoreBuilder builder(final Map<String, Object> spec) {
        final StoreBuilder builder = plainBuilder(spec);
        if (isTrue(spec, "caching")) builder.withCachingEnabled();
        if (isFalse(spec, "logging")) builder.withLoggingDisabled();
        return builder;
    }

    private static StoreBuilder plainBuilder(final Map<String, Object> spec) {
        final String name = text(spec, "name");
        final Serde keySerde = SerdeSpecs.of(spec, "keySerde");
        final Serde valueSerde = SerdeSpecs.of(spec, "valueSerde");
        final Duration retention = millis(spec, "retentionMs");
        final Duration windowSize = millis(spec, "windowSizeMs");
        final boolean retainDuplicates = isTrue(spec, "retainDuplicates");
        return switch (text(spec, "type")) {
            case "keyValue" -> Stores.keyValueStoreBuilder(
                    keyValue(spec, Stores.persistentKeyValueStore(name)), keySerde, valueSerde);
            case "timestampedKeyValue" -> Stores.timestampedKeyValueStoreBuilder(
                    keyValue(spec, Stores.persistentTimestampedKeyValueStore(name)), keySerde, valueSerde);
            case "lru" -> Stores.keyValueStoreBuilder(
                    Stores.lruMap(name, whole(spec, "maxEntries").intValue()), keySerde, valueSerde);
            case "versioned" -> Stores.versionedKeyValueStoreBuilder(versioned(spec), keySerde, valueSerde);
            case "window" -> Stores.windowStoreBuilder(
                    Stores.persistentWindowStore(name, retention, windowSize, retainDuplicates), keySerde, valueSerde);
            case "timestampedWindow" -> Stores.timestampedWindowStoreBuilder(
                    Stores.persistentTimestampedWindowStore(name, retention, windowSize, retainDuplicates),
                    keySerde,
                    valueSerde);
            case "session" -> Stores.sessionStoreBuilder(
                    Stores.persistentSessionStore(name, retention), keySerde, valueSerde);
            default -> throw new UnknownName("store type", spec.get("type"));
        };
    }

    private static KeyValueBytesStoreSupplier keyValue(
            final Map<String, Object> spec, final KeyValueBytesStoreSupplier persistent) {
        return isFalse(spec, "persistent") ? Stores.inMemoryKeyValueStore(text(spec, "name")) : persistent;
    }

    static VersionedBytesStoreSupplier versioned(final Map<String, Object> spec) {
        final String name = text(spec, "name");
        final Duration history = millis(spec, "historyRetentionMs");
        return has(spec, "segmentIntervalMs")
                ? Stores.persistentVersionedKeyValueStore(name, history, millis(spec, "segmentIntervalMs"))
                : Stores.persistentVersionedKeyValueStore(name, history);
    }

    /** One side of a stream-stream join. */
    static WindowBytesStoreSupplier joinSide(final Map<String, Object> spec) {
        return Stores.persistentWindowStore(
                text(spec, "name"),
                millis(spec, "retentionMs"),
                millis(spec, "windowSizeMs"),
                !isFalse(spec, "retainDuplicates"));
    }

    /** The stores that a supplier brings along; null: none. */
    static Set<StoreBuilder<?>> own(final Map<String, Object> step) {
        final List<Map<String, Object>> specs = Fields.objects(step, "ownStores");
        if (specs == null) return null;
        final Set<StoreBuilder<?>> builders = new LinkedHashSet<>();
        for (final Map<String, Object> spec : specs) builders.add(builder(spec));
        return builders;
    }
}
